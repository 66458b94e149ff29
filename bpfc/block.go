package bpfc

// A block computes one value, tests it and goes on to one of two blocks, or
// it ends the program. Jumps are pointers; they become offsets only in the
// last pass. Blocks are immutable: a pass that changes the program builds
// another graph.
type block struct {
	id      int // place in the order of creation: after both targets
	test    test
	yes     *block // nil for the two blocks that return
	no      *block
	accept  bool   // of a returning block: keep the packet
	written bool   // the test is of a written relation; see outcome
	setup   *setup // what happens instead of a test, see shareTwins
}

// returns reports whether the block ends the program.
func (b *block) returns() bool { return b.yes == nil }

// A graph holds the blocks of a program. Most graphs never hold two blocks
// that do the same: blocks are made after their targets, so equal ones are
// found by comparing one level (hash consing). Programs thereby are directed
// acyclic graphs that share all equal ends.
type graph struct {
	accept, reject *block
	made           map[blockKey]*block // nil if equal blocks are kept apart
	spare          []block
	blocks         int
	full           bool       // a block was refused: the program is worthless
	drops          bool       // a test that does not matter is left out, with its load
	keeps          bool       // not even one whose both ways are one is left out
	written        bool       // of the blocks that are made
	chooses        choiceKind // of the formulas that are one test, see decided
}

// maxBlocks bounds the memory and the time that an expression can take. Lists
// are merged before they become blocks, see lister.
const maxBlocks = 1 << 16

type blockKey struct {
	test    test
	yes, no int
}

// newGraph returns a graph that shares equal blocks.
func newGraph() *graph {
	g := newScatter()
	g.made = make(map[blockKey]*block)
	return g
}

// newScatter returns a graph that keeps equal blocks apart: each has the
// place of one test in the expression.
func newScatter() *graph {
	return &graph{
		accept: &block{id: 1, accept: true},
		reject: &block{id: 0},
	}
}

// end returns the block of g that does the same as the returning block b.
func (g *graph) end(b *block) *block {
	if b.accept {
		return g.accept
	}
	return g.reject
}

// branch returns the block that tests t. A test whose outcome is the same for
// all numbers still rejects packets that are too short for it.
func (g *graph) branch(t test, yes, no *block) *block {
	if g.drops && yes == no {
		return yes
	} else if g.drops {
		return g.block(t, yes, no)
	}
	if outcome, ok := t.constant(); ok {
		if t.v.mask == 0 {
			t.v = t.v.whole()
		}
		if outcome {
			no = yes
		}
		return g.load(t.v, no)
	}
	switch {
	case yes == no && g.made == nil && !g.keeps:
		return yes // as fold would
	case yes == no:
		return g.load(t.v, yes)
	}
	return g.block(t, yes, no)
}

// load returns the block that only loads v, for its failure, and goes to next.
// It can be left out where next rejects anyway, and where the value is there
// in every packet.
func (g *graph) load(v value, next *block) *block {
	if next == g.reject || v.alwaysThere() {
		return next
	}
	return g.block(test{v: v}, next, next)
}

// block returns the block with a test and two targets.
func (g *graph) block(t test, yes, no *block) *block {
	key := blockKey{t, yes.id, no.id}
	if b, ok := g.made[key]; ok {
		return b
	}
	if g.blocks == maxBlocks {
		g.full = true
		return g.reject
	}
	b := g.another()
	*b = block{id: g.blocks + 2, test: t, yes: yes, no: no, written: g.written}
	g.blocks++
	if g.made != nil {
		g.made[key] = b
	}
	return b
}

// another returns a new block. Many of them are allocated together.
func (g *graph) another() *block {
	if len(g.spare) == 0 {
		g.spare = make([]block, min(max(g.blocks, 8), 256))
	}
	b := &g.spare[0]
	g.spare = g.spare[1:]
	return b
}

// settled returns the outcome of a test that looks at nothing. libpcap's
// optimizer sees that of no other test that is the same for all packets.
func (t test) settled() (outcome, ok bool) {
	if t.v == nothing || t.v.mask == 0 {
		return t.constant()
	}
	return false, false
}

// constant returns the outcome of a test that is the same for all numbers
// that the value can be, if it is one.
func (t test) constant() (outcome, ok bool) {
	if t.rel == relMember {
		return false, false
	}
	low, high := t.rel.holds(0, t.k), t.rel.holds(t.v.max(), t.k)
	switch t.rel {
	case relGreaterX, relGreaterEqualX:
		return false, false
	case relEqual:
		if t.v.max() == 0 {
			return t.k == 0, true
		}
		return false, t.k > t.v.max() || t.k&^t.v.mask != 0
	case relAnyBit:
		return false, t.k&t.v.max() == 0
	}
	return low, low == high
}

// inOrder returns the blocks that can be reached from root, each before the
// blocks it goes to. It begins with root.
func inOrder(root *block) []*block {
	// Blocks are made after their targets, so the order of their ids will do.
	byID := make([]*block, root.id+1)
	byID[root.id] = root
	var order []*block
	for id := root.id; id >= 0; id-- {
		b := byID[id]
		if b == nil {
			continue
		}
		order = append(order, b)
		if !b.returns() {
			byID[b.yes.id], byID[b.no.id] = b.yes, b.no
		}
	}
	return order
}

// places returns the place of blocks in order, by their ids.
func places(order []*block) []int {
	at := make([]int, order[0].id+1)
	for i, b := range order {
		at[b.id] = i
	}
	return at
}
