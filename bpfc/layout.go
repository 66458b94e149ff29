package bpfc

import (
	"slices"

	"golang.org/x/net/bpf"
)

// maxSkip is how many instructions a conditional jump can skip: its offsets
// have 8 bits.
const maxSkip = 255

// layout turns sections into instructions.
//
// It works from the last instruction to the first, so that every target has
// its place before the jumps to it are written. As conditional jumps name
// both targets, control never falls from one section into the next, and the
// space after a jump is free: where a target is out of reach, an island is
// put there - a copy of the returning instruction, or an unconditional jump.
// In programs with scratch memory it is always a jump: for the kernel, what
// follows a return has no more memory written than the return.
// The jumps of earlier sections use the island too while they can reach it.
func layout(start entry) []bpf.RawInstruction {
	order := start.s.inOrder()
	w := writer{near: make(map[entry]int), memory: slices.ContainsFunc(order, (*section).readsMemory)}
	for i := len(order) - 1; i >= 0; i-- {
		s := order[i]
		switch {
		case s.returns():
			w.put(s.last)
		case s.last.Op == opJump:
			// Not needed to what comes next anyway.
			if s.yes.place() != len(w.backward) {
				w.put(w.jump(s.yes))
			}
		default:
			w.reach(s.yes, 1)
			w.reach(s.no, 0)
			jump := s.last
			jump.Jt, jump.Jf = uint8(w.skip(s.yes)), uint8(w.skip(s.no))
			w.put(jump)
		}
		s.place = len(w.backward)
		for i := len(s.loads) - 1; i >= 0; i-- {
			w.put(s.loads[i])
		}
	}
	return w.forward()
}

// A writer writes a program backward. Places count from the end, from 1 for
// the last instruction, so that they do not change as the program grows.
type writer struct {
	backward []bpf.RawInstruction
	near     map[entry]int // the latest island for an entry
	memory   bool          // scratch memory is read
}

// put writes an instruction before all others.
func (w *writer) put(i bpf.RawInstruction) { w.backward = append(w.backward, i) }

// place returns the place of an entry: the loads stand before the test.
func (e entry) place() int { return e.s.place + e.rest }

// skip returns how many instructions a jump that is written next skips.
func (w *writer) skip(e entry) int {
	return len(w.backward) - max(e.place(), w.near[e])
}

// reach makes e reachable for a conditional jump that is written after up to
// more further instructions.
func (w *writer) reach(e entry, more int) {
	if w.skip(e)+more <= maxSkip {
		return
	}
	if e.s.returns() && !w.memory {
		w.put(e.s.last)
	} else {
		w.put(w.jump(e))
	}
	w.near[e] = len(w.backward)
}

// jump returns the unconditional jump to e, to be written next.
func (w *writer) jump(e entry) bpf.RawInstruction {
	return bpf.RawInstruction{Op: opJump, K: uint32(len(w.backward) - e.place())}
}

// forward returns the program.
func (w *writer) forward() []bpf.RawInstruction {
	n := len(w.backward)
	insns := make([]bpf.RawInstruction, n)
	for i, ins := range w.backward {
		insns[n-1-i] = ins
	}
	return insns
}

// readsMemory reports whether a load of the section is from scratch memory.
func (s *section) readsMemory() bool {
	return slices.ContainsFunc(s.loads, func(i bpf.RawInstruction) bool {
		return i.Op == classLoad|modeMemory || i.Op == opLoadMemoryX
	})
}
