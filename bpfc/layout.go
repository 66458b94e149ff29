package bpfc

import "golang.org/x/net/bpf"

// maxSkip is how many instructions a conditional jump can skip: its offsets
// have 8 bits.
const maxSkip = 255

// layout turns blocks into instructions.
//
// It works from the last instruction to the first, so that every target has
// its place before the jumps to it are written. As conditional jumps name
// both targets, control never falls from one block into the next, and the
// space after a jump is free: where a target is out of reach, an island is
// put there - a copy of the returning instruction, or an unconditional jump.
// The jumps of earlier blocks use the island too while they can reach it.
func layout(root *block, netOff uint32, snaplen int, share bool) []bpf.RawInstruction {
	order := inOrder(root)
	w := writer{home: make(map[target]int), near: make(map[target]int)}
	loads := findLoads(order, netOff, share)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			w.put(b.returnInstruction(snaplen))
			w.place(target{b, 0})
			continue
		}
		prefix := loads.of[b].instructions
		yes := target{b.yes, loads.enter(b, b.yes)}
		no := target{b.no, loads.enter(b, b.no)}
		w.reach(yes, 1, snaplen)
		w.reach(no, 0, snaplen)
		w.put(bpf.RawInstruction{
			Op: b.test.rel.opcode(), K: b.test.k,
			Jt: uint8(w.skip(yes)), Jf: uint8(w.skip(no)),
		})
		w.place(target{b, len(prefix)})
		for j := len(prefix) - 1; j >= 0; j-- {
			w.put(prefix[j])
			w.place(target{b, j})
		}
	}
	return w.forward()
}

// A target is an instruction of a block, counted from its first.
type target struct {
	b     *block
	start int
}

// A writer writes a program backward. Places count from the end, from 1 for
// the last instruction, so that they do not change as the program grows.
type writer struct {
	backward []bpf.RawInstruction
	home     map[target]int // the target itself
	near     map[target]int // the target, or the latest island for it
}

// put writes an instruction before all others.
func (w *writer) put(i bpf.RawInstruction) { w.backward = append(w.backward, i) }

// place makes the latest instruction the target t.
func (w *writer) place(t target) {
	w.home[t] = len(w.backward)
	w.near[t] = len(w.backward)
}

// skip returns how many instructions a jump that is written next skips.
func (w *writer) skip(t target) int { return len(w.backward) - w.near[t] }

// reach makes t reachable for a conditional jump that is written after up to
// more further instructions.
func (w *writer) reach(t target, more, snaplen int) {
	if w.skip(t)+more <= maxSkip {
		return
	}
	if t.b.returns() {
		w.put(t.b.returnInstruction(snaplen))
	} else {
		w.put(bpf.RawInstruction{Op: opJump, K: uint32(len(w.backward) - w.home[t])})
	}
	w.near[t] = len(w.backward)
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
	}
	return classJump | jumpAnyBit
}
