package bpfc

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// validate reports whether the kernel would take a program (bpf_check_classic
// of net/core/filter.c), but for its length: known instructions only, jumps forward to within the
// program, a return at the end, no division by a constant zero, no shift by a
// constant of 32 or more, no load of ancillary data that does not exist, and
// no scratch memory read before it is written on every way there.
func validate(insns []bpf.RawInstruction) error {
	if len(insns) == 0 {
		return fmt.Errorf("no instructions")
	}
	for i, ins := range insns {
		if !known(ins) {
			return fmt.Errorf("instruction %d: invalid: %#x", i, ins.Op)
		}
		if ins.Op&classMask != classJump {
			continue
		}
		left := uint64(len(insns) - i - 1)
		if ins.Op == opJump && uint64(ins.K) >= left ||
			ins.Op != opJump && uint64(max(ins.Jt, ins.Jf)) >= left {
			return fmt.Errorf("instruction %d: jump past the end", i)
		}
	}
	if insns[len(insns)-1].Op&classMask != classReturn {
		return fmt.Errorf("the last instruction does not return")
	}
	return validateMemory(insns)
}

// known reports whether an instruction exists and has a legal constant.
func known(ins bpf.RawInstruction) bool {
	op := ins.Op
	switch op & classMask {
	case classLoad:
		switch op & modeMask {
		case modeAbsolute, modeIndirect:
			return op&^(sizeMask|modeMask) == classLoad && op&sizeMask != sizeMask &&
				(op&modeMask == modeIndirect || ins.K < ancillaryBase || ancillaryKnown(ins.K))
		case modeImmediate, modeLength:
			return op == classLoad|op&modeMask
		case modeMemory:
			return op == classLoad|modeMemory && ins.K < memoryWords
		}
	case classLoadX:
		switch op & modeMask {
		case modeImmediate, modeLength:
			return op == classLoadX|op&modeMask
		case modeMemory:
			return op == classLoadX|modeMemory && ins.K < memoryWords
		case modeHeader:
			return op == opLoadHeaderX
		}
	case classStore, classStoreX:
		return op&^classMask == 0 && ins.K < memoryWords
	case classALU:
		constant := op&sourceX == 0
		switch op &^ (classMask | sourceX) {
		case aluAdd, aluSub, aluMul, aluOr, aluAnd, aluXor:
			return true
		case aluDiv, aluMod:
			return !constant || ins.K != 0
		case aluLsh, aluRsh:
			return !constant || ins.K < 32
		case aluNeg:
			return constant
		}
	case classJump:
		switch op &^ (classMask | sourceX) {
		case jumpAlways:
			return op&sourceX == 0
		case jumpEqual, jumpGreater, jumpGreaterE, jumpAnyBit:
			return true
		}
	case classReturn:
		return op == opReturnK || op == classReturn|returnA
	case classMisc:
		return op == classMisc || op == classMisc|miscTXA
	}
	return false
}

// ancillaryKnown reports whether there is ancillary data at an offset.
func ancillaryKnown(off uint32) bool {
	off -= ancillaryBase
	return off%4 == 0 && off < ancillaryEnd
}

// validateMemory reports whether scratch memory is only read where it was
// written. As jumps lead forward, one pass from the start sees every way to
// an instruction before the instruction. As in the kernel, what follows a
// return counts as reached from it.
func validateMemory(insns []bpf.RawInstruction) error {
	written := make([]uint16, len(insns)+1) // one bit for each word of M[]
	for i := range written {
		written[i] = 1<<memoryWords - 1
	}
	written[0] = 0
	for i, ins := range insns {
		w := written[i]
		switch ins.Op {
		case classStore, classStoreX:
			w |= 1 << ins.K
		case classLoad | modeMemory, classLoadX | modeMemory:
			if w&(1<<ins.K) == 0 {
				return fmt.Errorf("instruction %d: M[%d] is read before written", i, ins.K)
			}
		}
		switch {
		case ins.Op == opJump:
			written[i+1+int(ins.K)] &= w
		case ins.Op&classMask == classJump:
			written[i+1+int(ins.Jt)] &= w
			written[i+1+int(ins.Jf)] &= w
		default:
			written[i+1] &= w
		}
	}
	return nil
}
