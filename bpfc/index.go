package bpfc

// An indexer brings the values of two parts of a program together, of which
// one has all headers elsewhere: behind a VLAN tag, or in another tunnel. They
// become values at a distance from the index, which waits in scratch memory,
// and in X where it can.
type indexer struct {
	calcs *calcs
	index *calc

	// The index of the second part and that of the first.
	to, from *calc
	shift    bool   // they are numbers, by which the offsets differ
	delta    uint32 // the number of the first part less that of the second
	least    uint32 // the number of the second part
}

// firstWord is the first word of scratch memory for indexes. Calculations use
// those before it.
const firstWord = memoryWords - maxTwins/2

// reindex chooses an index for two parts, if there is one by which all of
// their values differ.
func (t *twins) reindex() bool {
	for _, x := range [2]*indexer{t.shifted(), t.based()} {
		if x != nil && t.moveBy(x) {
			return true
		}
	}
	return false
}

// shifted returns the indexer for parts whose offsets differ by a number.
func (t *twins) shifted() *indexer {
	for _, c := range t.order {
		b := t.values[c]
		if c.from != fromStart || b.from != fromStart || c.off == b.off {
			continue
		}
		x := &indexer{calcs: newCalcs(), shift: true, delta: b.off - c.off}
		first := x.delta
		if int32(x.delta) < 0 {
			x.least, first = -x.delta, 0
		}
		x.to, x.from = x.calcs.constant(x.least), x.calcs.constant(first)
		return x
	}
	return nil
}

// based returns the indexer for parts whose values count from different
// places.
func (t *twins) based() *indexer {
	var x *indexer
	least := 0
	for _, c := range t.order {
		b := t.values[c]
		if c.from != fromHeader || b.from != fromStart && b.from != fromHeader ||
			b.from == fromHeader && (c.base == b.base || c.off != b.off) {
			continue
		}
		if size := c.base.size(); x == nil || size < least {
			least = size
			x = &indexer{calcs: newCalcs(), to: c.base, from: b.base}
			if b.from == fromStart {
				x.from = x.calcs.constant(b.off - c.off)
			}
		}
	}
	return x
}

// size returns the number of operations.
func (c *calc) size() int {
	switch {
	case c == nil:
		return 0
	case c.op == calcValue:
		return 1 + c.v.base.size()
	}
	return 1 + c.a.size() + c.b.size()
}

// moveBy moves all values of the second part, if x can.
func (t *twins) moveBy(x *indexer) bool {
	x.index = x.calcs.one(calc{op: calcIndex, k: t.word})
	t.moved = make(map[value]value)
	t.head = value{}
	for _, c := range t.order {
		v, ok := x.value(c, t.values[c])
		if !ok {
			return false
		}
		t.moved[c] = v
	}
	if head := t.to.test.v; !x.shift && (!t.heads || t.moved[head] == head) {
		return false // the place would be calculated before it is needed
	}
	t.setTo = &setup{index: x.index, at: x.to}
	t.setFrom = &setup{index: x.index, at: x.from}
	return true
}

// value returns the value that stands for c of the second part and for b of
// the first.
func (x *indexer) value(c, b value) (value, bool) {
	switch {
	case c.from == fromIndex || b.from == fromIndex:
		return c, false // X is taken
	case c == b:
		return c, true
	case c.size == b.size && c.mask == b.mask && x.starts(c.base, b.off-c.off) &&
		c.from == fromHeader && b.from == fromStart:
		c.base = x.index
		return c, true
	case c.from != b.from || c.size != b.size || c.mask != b.mask:
		return c, false
	case c.from == fromStart && x.shift && b.off-c.off == x.delta:
		c.from, c.base, c.off = fromHeader, x.index, c.off-x.least
		return c, true
	case c.base == nil:
		return c, false
	}
	base, ok := x.calc(c.base, b.base)
	c.base = base
	switch {
	case !ok:
	case c.off == b.off:
		return c, true
	case c.from == fromHeader && x.shift && b.off-c.off == x.delta:
		c.base, c.off = x.calcs.one(calc{op: aluAdd, a: base, b: x.index}), c.off-x.least
		return c, true
	}
	return c, false
}

// starts reports whether base is where the values of the second part count
// from, and those of the first count from the start of the packet, so much
// farther.
func (x *indexer) starts(base *calc, farther uint32) bool {
	return !x.shift && base == x.to && x.from.op == calcConstant && x.from.k == farther
}

// calc is value for a calculation.
func (x *indexer) calc(c, b *calc) (*calc, bool) {
	switch {
	case !x.shift && c == x.to && b == x.from:
		return x.index, true
	case c == b:
		return c, true
	case c == nil || b == nil || c.op != b.op:
		return nil, false
	case c.op == aluAdd && b.op == aluAdd && c.a.op == aluAdd &&
		c.b.op == calcConstant && b.b.op == calcConstant && x.starts(c.a.b, b.b.k-c.b.k):
		n, ok := x.calc(c.a.a, b.a)
		n = x.calcs.one(calc{op: aluAdd, a: n, b: x.index})
		return x.calcs.one(calc{op: aluAdd, a: n, b: c.b}), ok
	case c.op == calcHeader && x.shift && b.k-c.k == x.delta:
		length := value{from: fromHeader, size: 1, off: c.k - x.least, mask: 0xf, base: x.index}
		return x.calcs.calculate(aluLsh, x.calcs.value(length), x.calcs.constant(2)), true
	case c.op == calcValue:
		v, ok := x.value(c.v, b.v)
		return x.calcs.value(v), ok
	case c.k != b.k || c.a == nil:
		return nil, false
	}
	n := *c
	var okA, okB bool
	n.a, okA = x.calc(c.a, b.a)
	n.b, okB = x.calc(c.b, b.b)
	return x.calcs.one(n), okA && okB
}
