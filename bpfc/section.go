package bpfc

import (
	"slices"

	"golang.org/x/net/bpf"
)

// A section is the instructions of one or more blocks: some that load, and
// one that tests or returns. Packets that come with the registers loaded
// enter it behind the loads.
type section struct {
	id      int
	loads   []bpf.RawInstruction
	last    bpf.RawInstruction // a conditional jump, without its offsets
	yes, no entry              // without a section if last returns

	like  *section // one with equal instructions but for the loads
	place int      // of last, once it is laid out; see writer
}

// An entry is a place where a section can be entered, by the number of loads
// left to do. Counted like this, entries stay right when loads are added at
// the front.
type entry struct {
	s    *section
	rest int
}

// returns reports whether the section ends the program.
func (s *section) returns() bool { return s.yes.s == nil }

// A sectioner makes sections. Tests of different values that compare with the
// same numbers and go to the same places become one section, which the
// packets enter with either value in A: the ports behind an IPv4 and behind
// an IPv6 header share their tests like this.
type sectioner struct {
	made  map[sectionKey]*section // the last one made
	n     int
	spare []section // allocated together
}

type sectionKey struct {
	last         bpf.RawInstruction
	yes, yesRest int
	no, noRest   int
}

// sections turns blocks into sections and returns where the program starts.
func sections(root *block, snaplen int, share bool) entry {
	order := inOrder(root)
	loads := findLoads(order, share)
	w := sectioner{made: make(map[sectionKey]*section, len(order))}
	of := make([]placed, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			of[b.id] = placed{s: w.section(nil, b.returnInstruction(snaplen), entry{}, entry{}, true)}
			continue
		}
		to := func(next *block) entry {
			if next.returns() {
				return of[next.id].entry(0)
			}
			return of[next.id].entry(loads.rest(b, next))
		}
		jump := bpf.RawInstruction{Op: b.test.rel.opcode(), K: b.test.k}
		yes, no := to(b.yes), to(b.no)
		switch {
		case yes == no:
			jump = bpf.RawInstruction{Op: opJump}
		case loads.of[b.id].unmasked:
			jump = bpf.RawInstruction{Op: classJump | jumpAnyBit, K: b.test.v.mask}
			yes, no = no, yes
		}
		of[b.id] = w.place(loads.of[b.id].instructions, jump, yes, no, share)
	}
	if root.returns() {
		return of[root.id].entry(0)
	}
	return of[root.id].entry(len(loads.of[root.id].instructions))
}

// A placed is where the instructions of a block are: in one section or, but
// for the first loads, in one that other blocks share.
type placed struct {
	s    *section
	tail *section // nil for none
	cut  int      // so many of the loads are in tail
}

// entry returns where a packet goes for which rest loads are left to do.
func (p placed) entry(rest int) entry {
	if p.tail != nil && rest <= p.cut {
		return entry{p.tail, rest}
	}
	return entry{p.s, rest - p.cut}
}

// minTail is from how many loads on the end of a section is shared with one
// that begins otherwise. The packets that come from there take a jump more.
const minTail = 2

// place returns the sections for a block: one, or if there is one with the
// same end, a section that jumps into it.
func (w *sectioner) place(
	loads []bpf.RawInstruction, last bpf.RawInstruction, yes, no entry, share bool,
) placed {
	if !share || len(loads) < minTail || last.Op == opJump {
		return placed{s: w.section(loads, last, yes, no, share)}
	}
	var tail *section
	cut := minTail - 1
	for s := w.made[keyOf(last, yes, no)]; s != nil; s = s.like {
		n := commonEnd(s.loads, loads)
		if n == len(s.loads) || n == len(loads) {
			return placed{s: w.section(loads, last, yes, no, share)}
		}
		if n > cut {
			tail, cut = s, n
		}
	}
	if tail == nil {
		return placed{s: w.section(loads, last, yes, no, share)}
	}
	into := entry{tail, cut}
	jump := bpf.RawInstruction{Op: opJump}
	return placed{w.section(loads[:len(loads)-cut], jump, into, into, share), tail, cut}
}

// commonEnd returns how many of their last instructions s and t share.
func commonEnd(s, t []bpf.RawInstruction) int {
	n := 0
	for n < len(s) && n < len(t) && s[len(s)-1-n] == t[len(t)-1-n] {
		n++
	}
	return n
}

// keyOf returns the key of sections that end alike.
func keyOf(last bpf.RawInstruction, yes, no entry) sectionKey {
	key := sectionKey{last: last}
	if yes.s != nil {
		key.yes, key.yesRest = yes.s.id, yes.rest
		key.no, key.noRest = no.s.id, no.rest
	}
	return key
}

// section returns a section whose loads end in the given ones, with the last
// instruction and its targets. With share set, that can be one made before:
// it either has these loads already, or gets them put before its own.
//
// Equal instructions and equal entries of the targets mean that whatever
// follows is equal too, so a packet that enters a shared section fares as in
// one of its own.
func (w *sectioner) section(
	loads []bpf.RawInstruction, last bpf.RawInstruction, yes, no entry, share bool,
) *section {
	key := keyOf(last, yes, no)
	if share {
		for s := w.made[key]; s != nil; s = s.like {
			switch {
			case endsWith(s.loads, loads):
				return s
			case endsWith(loads, s.loads):
				s.loads = loads
				return s
			}
		}
	}
	w.n++
	if len(w.spare) == 0 {
		w.spare = make([]section, min(max(w.n, 8), 256))
	}
	s := &w.spare[0]
	w.spare = w.spare[1:]
	*s = section{id: w.n, loads: loads, last: last, yes: yes, no: no, like: w.made[key]}
	w.made[key] = s
	return s
}

// endsWith reports whether the last instructions of s are those of end.
func endsWith(s, end []bpf.RawInstruction) bool {
	return len(s) >= len(end) && slices.Equal(s[len(s)-len(end):], end)
}

// inOrder returns the sections that can be reached from s, each before those
// that it goes to, s first.
func (s *section) inOrder() []*section {
	var order []*section
	seen := make([]bool, s.id+1) // sections are made after their targets
	var visit func(*section)
	visit = func(s *section) {
		if seen[s.id] {
			return
		}
		seen[s.id] = true
		if !s.returns() {
			visit(s.no.s)
			visit(s.yes.s)
		}
		order = append(order, s)
	}
	visit(s)
	slices.Reverse(order)
	return order
}

// returnInstruction returns the one instruction of a returning block.
func (b *block) returnInstruction(snaplen int) bpf.RawInstruction {
	if !b.accept {
		snaplen = 0
	}
	return bpf.RawInstruction{Op: opReturnK, K: uint32(snaplen)}
}

// opcode returns the conditional jump for a relation.
func (r relation) opcode() uint16 {
	switch r {
	case relEqual:
		return classJump | jumpEqual
	case relGreater:
		return classJump | jumpGreater
	case relGreaterEqual:
		return classJump | jumpGreaterE
	case relGreaterX:
		return classJump | jumpGreater | sourceX
	case relGreaterEqualX:
		return classJump | jumpGreaterE | sourceX
	}
	return classJump | jumpAnyBit
}
