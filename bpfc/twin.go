package bpfc

// minTwin is from how many blocks on it is worth the instructions that set X
// to share them.
const minTwin = 12

// maxTwins bounds how many pairs are shared, and tried for one of them.
const maxTwins = 16

// minIndexed and maxTries are the same for parts with an index.
const (
	minIndexed = 4
	maxTries   = 100
)

// shareTwins finds parts of a program that differ in the offsets of the fields
// only, such as the ports behind an IPv4 and behind an IPv6 header, or the
// addresses in an IPv4 and in an ARP header. It keeps one of them, which
// loads through X, and has the ways to the other set X before. Every packet
// meets the same loads in the same order. The result can only be laid out.
//
// With index set, smaller parts are shared, too, and those whose offsets
// depend on the header's length.
func shareTwins(root *block, sets *setTable, index bool) *block {
	for n := range maxTwins {
		next := shareTwin(root, sets, index, uint32(n))
		if next == root {
			break
		}
		root = next
	}
	return root
}

// shareTwin shares the first pair of twins that can be shared.
func shareTwin(root *block, sets *setTable, index bool, n uint32) *block {
	least, most := minTwin, maxTwins
	if index {
		least, most = minIndexed, maxTries
	}
	order := inOrder(root)
	outlines := outlinesOf(order, sets)
	into := edgesInto(order)
	tries := 0
	for i, b := range order {
		if outlines[b.id].blocks < least {
			continue
		}
		for _, c := range order[i+1:] {
			if outlines[c.id].number != outlines[b.id].number || tries == most {
				continue
			}
			tries++
			for _, ends := range [2][2]*block{{b, c}, {c, b}} {
				t := twins{sets: sets, root: root, from: ends[0], to: ends[1], least: least}
				if t.match(into) && (t.heads && t.move() && t.closed() || index && t.indexed(n)) {
					return t.share()
				}
			}
		}
	}
	return root
}

// An outline numbers what blocks do but for the values that they load.
type outline struct {
	number int
	blocks int // at most this many are reached
}

// outlinesOf returns the outlines of blocks by their ids.
func outlinesOf(order []*block, sets *setTable) []outline {
	type key struct {
		rel     relation
		k       uint32
		yes, no int
	}
	made := make(map[key]int)
	outlines := make([]outline, order[0].id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		switch {
		case b.returns():
			outlines[b.id].number = b.id
		case b.setup != nil:
			outlines[b.id].number = -b.id // like no other
		default:
			yes, no := outlines[b.yes.id], outlines[b.no.id]
			k := key{b.test.rel, b.test.k, yes.number, no.number}
			n, ok := made[k]
			if !ok {
				n = len(made) + 2
				made[k] = n
			}
			outlines[b.id] = outline{n, min(sets.size(b.test)+yes.blocks+no.blocks, maxBlocks)}
		}
	}
	return outlines
}

// A twins is two heads of parts of a program. The part of from is replaced by
// that of to.
type twins struct {
	sets           *setTable
	root, from, to *block
	least          int // so many tests are worth it

	values         map[value]value   // from the second part to the first
	order          []value           // those of the second part
	edges          [][2]*block       // out of and within the second part
	heads          bool              // the parts are entered at their heads only
	word           uint32            // of scratch memory, for an index
	pair           map[*block]*block // the blocks of the first part, and their twins
	back           map[*block]bool   // the blocks of the second part
	head           value             // the value of to, loaded before X is needed
	moved          map[value]value   // what the second part loads instead of values
	setFrom, setTo *setup            // what comes before the parts; nil for nothing
}

// A setup is what happens before a shared part: X is set, and A is loaded
// with a value that stands for another.
type setup struct {
	x      uint32
	a, as  value // a value without a size is none
	header *calc // the length of the IPv4 header, if X stands for it

	index, at *calc // if not nil, X becomes at and then stands for index
}

// match reports whether the two parts are twins that can be shared, and how.
func (t *twins) match(into []int) bool {
	t.pair = make(map[*block]*block)
	t.back = make(map[*block]bool)
	t.values = make(map[value]value)
	inside := make(map[*block]int) // edges within the parts
	var walk func(b, c *block) bool
	walk = func(b, c *block) bool {
		if b == c {
			return true
		}
		if b.returns() || c.returns() || b.setup != nil || c.setup != nil {
			return false
		}
		if t.pair[b] != nil || t.back[c] {
			return t.pair[b] == c
		}
		t.pair[b], t.back[c] = c, true
		v, ok := t.values[c.test.v]
		if ok && v != b.test.v ||
			b.test.v.mask != c.test.v.mask || b.test.v.size != c.test.v.size {
			return false
		}
		if !ok {
			t.values[c.test.v] = b.test.v
			t.order = append(t.order, c.test.v)
		}
		inside[b.yes]++
		inside[b.no]++
		inside[c.yes]++
		inside[c.no]++
		t.edges = append(t.edges, [2]*block{c, c.yes}, [2]*block{c, c.no})
		return walk(b.yes, c.yes) && walk(b.no, c.no)
	}
	if !walk(t.from, t.to) {
		return false
	}
	size := 0
	for b := range t.pair {
		size += t.sets.size(b.test)
	}
	if size < t.least {
		return false
	}
	// Neither leads into the other.
	for _, e := range t.edges {
		if t.pair[e[0]] != nil || !t.back[e[1]] && t.pair[e[1]] != nil {
			return false
		}
	}
	t.heads = true
	for b, c := range t.pair {
		if t.back[b.yes] || t.back[b.no] {
			return false
		}
		if b != t.from && inside[b] != into[b.id] || c != t.to && inside[c] != into[c.id] {
			t.heads = false
		}
	}
	return true
}

// indexed chooses an index, if there is a word left for it.
func (t *twins) indexed(n uint32) bool {
	t.word = firstWord + n
	return t.word < memoryWords && t.reindex()
}

// move chooses how the values of the second part become those of the first.
func (t *twins) move() bool {
	t.moved = make(map[value]value)
	var base *calc
	for c, b := range t.values {
		switch {
		case c.from == fromHeader && c.base.op == calcHeader && b.from == fromStart &&
			(base == nil || c.base == base):
			base = c.base
		case b.base != nil || c.base != nil:
			return false // X can be set for it
		}
	}
	header := base != nil
	if header && t.to.test.v.from != fromHeader {
		return false // X is set at the head
	}
	known, delta := false, uint32(0)
	head := t.to.test.v.whole()
	least := uint32(allOnes)
	from := t.from.test.v.whole()
	for c, b := range t.values {
		switch {
		case c.whole() == head && b.whole() != from:
			return false
		case b == c && b.from != fromHeader:
			continue // the same for both
		case b.from != fromStart || (c.from == fromHeader) != header:
			return false
		case !header && c.from != fromStart:
			return false
		case !header && c.whole() == head:
			continue
		}
		if known && b.off-c.off != delta {
			return false
		}
		known, delta = true, b.off-c.off
		least = min(least, b.off, c.off)
	}
	switch {
	case header:
		// X is the length of the IPv4 header.
		t.setFrom = &setup{x: delta, header: base}
		return known && delta < 1<<16
	case !known:
		return false
	}
	t.setFrom, t.setTo = &setup{}, &setup{}
	if from.off-head.off == delta {
		least = min(least, from.off, head.off)
		t.head = value{}
	} else {
		t.head = head
		*t.setFrom = setup{a: from, as: head}
	}
	// One of the two loads from X + off with X = least, the other farther.
	for c, b := range t.values {
		if b == c || t.head.size > 0 && c.whole() == head {
			continue
		}
		if int32(delta) < 0 {
			t.setFrom.x, t.setTo.x = least, least-delta
			t.moved[c] = value{from: fromIndex, size: c.size, off: b.off - least, mask: c.mask}
		} else {
			t.setFrom.x, t.setTo.x = least+delta, least
			t.moved[c] = value{from: fromIndex, size: c.size, off: c.off - least, mask: c.mask}
		}
	}
	return true
}

// closed reports whether the second part does not depend on registers that a
// packet of the first part has other values in.
func (t *twins) closed() bool {
	before := make(map[*block]value)
	for _, e := range t.edges {
		b, to := e[0], e[1]
		if to.returns() {
			continue
		}
		v := to.test.v.whole()
		if !t.back[to] {
			// What follows loads anew.
			if v == t.to.test.v.whole() || to.setup != nil || v.base != nil {
				return false
			}
			continue
		}
		if t.head.size > 0 && v == t.head {
			// The value of the head cannot be loaded again.
			if other, ok := before[to]; ok && other != b.test.v ||
				b.test.v.whole() != v || b.test.v.mask&to.test.v.mask != to.test.v.mask {
				return false
			}
			before[to] = b.test.v
		}
	}
	if t.setTo == nil {
		return t.exitsWithoutHeader()
	}
	return true
}

// exitsWithoutHeader reports whether nothing behind the parts needs X to be
// the length of the IPv4 header.
func (t *twins) exitsWithoutHeader() bool {
	seen := make(map[*block]bool)
	for _, e := range t.edges {
		if t.back[e[1]] || seen[e[1]] {
			continue
		}
		for _, b := range inOrder(e[1]) {
			if !b.returns() && !seen[b] && b.test.v.base != nil {
				return false
			}
			seen[b] = true
		}
	}
	return true
}

// share builds the program with the first part replaced.
func (t *twins) share() *block {
	g := newGraph()
	built := make(map[*block]*block)
	entered := make(map[*block]*block)
	var build, enter func(b *block) *block
	// What comes before a part leads to it through its setup.
	enter = func(b *block) *block {
		if done := entered[b]; done != nil {
			return done
		}
		var made *block
		switch {
		case t.pair[b] != nil:
			made = g.prepare(t.setFrom, build(t.pair[b]))
		case t.back[b] && t.setTo != nil:
			made = g.prepare(t.setTo, build(b))
		default:
			made = build(b)
		}
		entered[b] = made
		return made
	}
	build = func(b *block) *block {
		if done := built[b]; done != nil {
			return done
		}
		var made *block
		switch {
		case b.returns():
			made = g.end(b)
		case b.setup != nil:
			made = g.prepare(b.setup, enter(b.yes))
		default:
			v := b.test.v
			to := [2]*block{}
			for i, next := range [2]*block{b.yes, b.no} {
				if t.back[b] && t.back[next] {
					to[i] = build(next)
				} else {
					to[i] = enter(next)
				}
			}
			if moved, ok := t.moved[v]; ok && t.back[b] {
				v = moved
			}
			made = g.block(test{v, b.test.rel, b.test.k}, to[0], to[1])
		}
		built[b] = made
		return made
	}
	return enter(t.root)
}

// prepare returns a block that does a setup and goes to next.
func (g *graph) prepare(s *setup, next *block) *block {
	b := &block{id: g.blocks + 2, setup: s, yes: next, no: next}
	g.blocks++
	return b
}
