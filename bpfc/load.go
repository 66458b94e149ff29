package bpfc

import (
	"slices"

	"golang.org/x/net/bpf"
)

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

// registers are what is known to be in A and X, and how many words of scratch
// memory wait to be read.
type registers struct {
	a       value
	aKnown  bool
	x       *calc // nil if X is not known
	scratch uint32
}

// words is a set of words of scratch memory.
type words uint16

// findLoads chooses the loads of every block. With share set, a block does
// not load what all ways to it have left in the registers.
func findLoads(order []*block, share bool) loads {
	ls := findLoadsWith(order, share, ^words(0))
	if !slices.ContainsFunc(order, func(b *block) bool { return b.setup != nil && b.setup.index != nil }) {
		return ls
	}
	// Only an index that is read again must be stored.
	var read words
	for _, l := range ls.of {
		for _, ins := range l.instructions {
			if ins.Op == opLoadMemoryX {
				read |= 1 << ins.K
			}
		}
	}
	return findLoadsWith(order, share, read)
}

// findLoadsWith is findLoads with some words for indexes.
func findLoadsWith(order []*block, share bool, stores words) loads {
	ls := loads{of: make([]load, order[0].id+1), share: share}
	in := make([]registers, order[0].id+1)
	reached := make([]bool, order[0].id+1)
	one := make([]registers, len(order)) // most blocks have one state only
	stands := make(map[value]bool)       // values that cannot be loaded again
	for _, b := range order {
		if b.setup != nil && b.setup.index == nil {
			stands[b.setup.as] = true
		}
	}
	for i, b := range order {
		if b.returns() {
			continue
		}
		c := coder{r: in[b.id], stores: stores}
		c.l.states = one[i : i : i+1]
		if b.setup != nil {
			c.prepare(b.setup)
		} else {
			v := b.test.v
			c.l.unmasked = b.findsBits() && !c.r.holds(v) && !stands[v.whole()]
			if c.l.unmasked {
				v = v.whole()
			}
			c.value(v)
		}
		c.l.states = append(c.l.states, c.r)
		ls.of[b.id] = c.l
		for _, to := range [2]*block{b.yes, b.no} {
			if !share {
				continue
			}
			if reached[to.id] {
				in[to.id] = in[to.id].meet(c.r)
			} else {
				in[to.id], reached[to.id] = c.r, true
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
	l := ls.of[to.id]
	rest := 0
	for i > 0 && !out.provides(l.needed(i)) {
		i--
		rest++
	}
	return rest
}

// needed returns what must be in the registers before the instruction with
// the number i: not what is overwritten before it is read. What holds after
// the last instruction must hold, too.
func (l *load) needed(i int) registers {
	r := l.states[i]
	a, x := true, true
	for j := len(l.instructions) - 1; j >= i; j-- {
		switch ins := l.instructions[j]; ins.Op & classMask {
		case classLoad:
			a, x = false, x || ins.Op&modeMask == modeIndirect
		case classLoadX:
			x = false
		case classALU:
			a, x = true, x || ins.Op&sourceX != 0
		case classStore:
			a = true
		case classStoreX:
			x = true
		case classMisc:
			tax := ins.Op == opTAX
			a, x = tax, !tax
		}
	}
	r.aKnown = r.aKnown && a
	if !x {
		r.x = nil
	}
	return r
}

// holds reports whether v is in A.
func (r registers) holds(v value) bool { return r.aKnown && r.a == v }

// meet returns what holds both in r and in s.
func (r registers) meet(s registers) registers {
	r.aKnown = r.aKnown && s.aKnown && r.a == s.a
	if r.x != s.x {
		r.x = nil
	}
	return r
}

// provides reports whether all that holds in want holds in r. Scratch memory
// is only used within one load, so nothing provides it.
func (r registers) provides(want registers) bool {
	return want.scratch == 0 && (!want.aKnown || r.holds(want.a)) &&
		(want.x == nil || r.x == want.x)
}

// opcode returns the instruction that loads v into A.
func (v value) opcode() uint16 {
	switch v.from {
	case fromLength:
		return opLoadLength
	case fromHeader, fromIndex:
		return [...]uint16{1: opLoadByteX, 2: opLoadHalfX, 4: opLoadWordX}[v.size]
	}
	return [...]uint16{1: opLoadByte, 2: opLoadHalf, 4: opLoadWord}[v.size]
}
