package bpfc

import "slices"

// A block computes one value, tests it and goes on to one of two blocks, or
// it ends the program. Jumps are pointers; they become offsets only in the
// last pass. Blocks are immutable: a pass that changes the program builds
// another graph.
type block struct {
	id     int // place in the order of creation: after both targets
	test   test
	yes    *block // nil for the two blocks that return
	no     *block
	accept bool // of a returning block: keep the packet
}

// returns reports whether the block ends the program.
func (b *block) returns() bool { return b.yes == nil }

// A graph holds the blocks of a program. It never holds two blocks that do
// the same: blocks are made after their targets, so equal ones are found by
// comparing one level (hash consing). Programs thereby are directed acyclic
// graphs that share all equal ends.
type graph struct {
	accept, reject *block
	made           map[blockKey]*block
	full           bool // a block was refused: the program is worthless
}

// maxBlocks bounds the memory that an expression can take: an unoptimized
// program of so many blocks takes a second or two to optimize, and holds some
// ten thousand ports.
const maxBlocks = 1 << 19

type blockKey struct {
	test    test
	yes, no int
}

func newGraph() *graph {
	return &graph{
		accept: &block{id: 1, accept: true},
		reject: &block{id: 0},
		made:   make(map[blockKey]*block),
	}
}

// end returns the block of g that does the same as the returning block b.
func (g *graph) end(b *block) *block {
	if b.accept {
		return g.accept
	}
	return g.reject
}

// branch returns the block that tests t.
//
// A test whose outcome does not matter still rejects packets that are too
// short for it, so it can only be left out where both ways reject, or where
// the value is there in every packet.
func (g *graph) branch(t test, yes, no *block) *block {
	if outcome, ok := t.constant(); ok && outcome {
		no = yes
	} else if ok {
		yes = no
	}
	if yes == no {
		if yes == g.reject || t.v.alwaysThere() {
			return yes
		}
		t = test{v: t.v} // the load is what counts
	}
	key := blockKey{t, yes.id, no.id}
	b, ok := g.made[key]
	if !ok && len(g.made) == maxBlocks {
		g.full = true
		return g.reject
	}
	if !ok {
		b = &block{id: len(g.made) + 2, test: t, yes: yes, no: no}
		g.made[key] = b
	}
	return b
}

// constant returns the outcome of a test that is the same for all numbers
// that the value can be, if it is one.
func (t test) constant() (outcome, ok bool) {
	low, high := t.rel.holds(0, t.k), t.rel.holds(t.v.max(), t.k)
	switch t.rel {
	case relGreaterX, relGreaterEqualX:
		return false, false
	case relEqual:
		return false, t.k > t.v.max() || t.k&^t.v.mask != 0
	case relAnyBit:
		return false, t.k&t.v.max() == 0
	}
	return low, low == high
}

// inOrder returns the blocks that can be reached from root, each before the
// blocks it goes to (reverse postorder). It begins with root.
func inOrder(root *block) []*block {
	var order []*block
	seen := make(map[*block]bool)
	var visit func(*block)
	visit = func(b *block) {
		if seen[b] {
			return
		}
		seen[b] = true
		if !b.returns() {
			visit(b.no)
			visit(b.yes)
		}
		order = append(order, b)
	}
	visit(root)
	slices.Reverse(order)
	return order
}

// places returns the place of every block in order.
func places(order []*block) map[*block]int {
	at := make(map[*block]int, len(order))
	for i, b := range order {
		at[b] = i
	}
	return at
}
