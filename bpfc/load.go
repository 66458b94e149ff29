package bpfc

import "golang.org/x/net/bpf"

// loads says, for every block of a program, which instructions bring its
// value into A, and what the registers hold.
type loads struct {
	of    []load // by the ids of blocks
	share bool
}

// A load is the instructions before the test of one block.
type load struct {
	instructions []bpf.RawInstruction
	states       []registers // what holds before each, and after the last
	unmasked     bool        // the test takes the mask itself
}

// registers are what is known to be in A and X.
type registers struct {
	a       value
	aKnown  bool
	xHeader bool // X is the length of the IPv4 header
}

// findLoads chooses the loads of every block. With share set, a block does
// not load what all ways to it have left in the registers.
func findLoads(order []*block, netOff uint32, share bool) loads {
	ls := loads{of: make([]load, order[0].id+1), share: share}
	in := make([]registers, order[0].id+1)
	reached := make([]bool, order[0].id+1)
	stands := make(map[value]bool) // values that cannot be loaded again
	for _, b := range order {
		if b.setup != nil {
			stands[b.setup.as] = true
		}
	}
	for _, b := range order {
		if b.returns() {
			continue
		}
		l := &ls.of[b.id]
		if b.setup != nil {
			l.prepare(b.setup, in[b.id])
		} else {
			v := b.test.v
			if l.unmasked = b.findsBits() && !in[b.id].holds(v) && !stands[v.whole()]; l.unmasked {
				v = v.whole()
			}
			l.fill(v, in[b.id], netOff)
		}
		for _, to := range [2]*block{b.yes, b.no} {
			if !share {
				continue
			}
			if reached[to.id] {
				in[to.id] = in[to.id].meet(l.out())
			} else {
				in[to.id], reached[to.id] = l.out(), true
			}
		}
	}
	return ls
}

// findsBits reports whether the test asks whether all bits of a mask are zero,
// which one instruction does without masking before.
func (b *block) findsBits() bool {
	t := b.test
	return t.rel == relEqual && t.k == 0 && t.v.mask != allOnes && !b.loads()
}

// fill sets the instructions that load v where r holds.
func (l *load) fill(v value, r registers, netOff uint32) {
	add := func(op uint16, k uint32) {
		l.instructions = append(l.instructions, bpf.RawInstruction{Op: op, K: k})
		l.states = append(l.states, r)
	}
	if v.from == fromHeader && !r.xHeader {
		add(opLoadHeaderX, netOff)
		r.xHeader = true
	}
	if !r.aKnown || r.a.whole() != v.whole() || r.a.mask&v.mask != v.mask {
		add(v.opcode(), v.off)
		r.a, r.aKnown = v.whole(), true
	}
	if !r.holds(v) {
		add(opAndK, v.mask)
		r.a = v
	}
	l.states = append(l.states, r)
}

// prepare sets the instructions of a setup.
func (l *load) prepare(s *setup, r registers) {
	l.instructions = []bpf.RawInstruction{{Op: opLoadX, K: s.x}}
	l.states = []registers{r}
	r.xHeader = s.header
	if s.a.size > 0 {
		l.instructions = append(l.instructions, bpf.RawInstruction{Op: s.a.opcode(), K: s.a.off})
		l.states = append(l.states, r)
		r.a, r.aKnown = s.as, true
	}
	l.states = append(l.states, r)
}

// out returns what the registers hold after the block.
func (l *load) out() registers { return l.states[len(l.states)-1] }

// rest returns how many of the instructions before the test of to are left to
// do for a packet that comes from b: the others load what b leaves in the
// registers.
func (ls loads) rest(b, to *block) int {
	states := ls.of[to.id].states
	i := len(states) - 1
	if !ls.share || to.setup != nil {
		return i
	}
	out := ls.of[b.id].out()
	rest := 0
	for i > 0 && !out.provides(states[i]) {
		i--
		rest++
	}
	return rest
}

// holds reports whether v is in A.
func (r registers) holds(v value) bool { return r.aKnown && r.a == v }

// meet returns what holds both in r and in s.
func (r registers) meet(s registers) registers {
	r.aKnown = r.aKnown && s.aKnown && r.a == s.a
	r.xHeader = r.xHeader && s.xHeader
	return r
}

// provides reports whether all that holds in want holds in r.
func (r registers) provides(want registers) bool {
	return (!want.aKnown || r.holds(want.a)) && (!want.xHeader || r.xHeader)
}

// opcode returns the instruction that loads v into A.
func (v value) opcode() uint16 {
	switch {
	case v.from == fromLength:
		return opLoadLength
	case v.from == fromHeader || v.from == fromIndex:
		return [...]uint16{1: opLoadByteX, 2: opLoadHalfX, 4: opLoadWordX}[v.size]
	}
	return [...]uint16{1: opLoadByte, 2: opLoadHalf, 4: opLoadWord}[v.size]
}
