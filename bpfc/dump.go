package bpfc

import (
	"fmt"
	"strings"

	"golang.org/x/net/bpf"
)

// Dump returns the program in the form of tcpdump -d, one instruction a line.
func (p *Program) Dump() string {
	var s strings.Builder
	for i, ins := range p.Insns {
		mnemonic, operand := disassemble(ins, i)
		if ins.Op&classMask == classJump && ins.Op&jumpMask != 0 {
			fmt.Fprintf(&s, "(%03d) %-8s %-16s jt %d\tjf %d\n", i, mnemonic, operand,
				i+1+int(ins.Jt), i+1+int(ins.Jf))
		} else {
			fmt.Fprintf(&s, "(%03d) %-8s %s\n", i, mnemonic, operand)
		}
	}
	return s.String()
}

// DumpC returns the program in the form of tcpdump -dd: lines of C that
// initialize an array of struct bpf_insn.
func (p *Program) DumpC() string {
	var s strings.Builder
	for _, ins := range p.Insns {
		fmt.Fprintf(&s, "{ %#x, %d, %d, 0x%08x },\n", ins.Op, ins.Jt, ins.Jf, ins.K)
	}
	return s.String()
}

// DumpDecimal returns the program in the form of tcpdump -ddd: the number of
// instructions, and then one a line in decimal.
func (p *Program) DumpDecimal() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d\n", len(p.Insns))
	for _, ins := range p.Insns {
		fmt.Fprintf(&s, "%d %d %d %d\n", ins.Op, ins.Jt, ins.Jf, ins.K)
	}
	return s.String()
}

// disassemble returns instruction i in words.
func disassemble(ins bpf.RawInstruction, i int) (mnemonic, operand string) {
	switch ins.Op & classMask {
	case classLoad, classLoadX:
		return disassembleLoad(ins)
	case classStore:
		return "st", fmt.Sprintf("M[%d]", ins.K)
	case classStoreX:
		return "stx", fmt.Sprintf("M[%d]", ins.K)
	case classALU:
		return disassembleALU(ins)
	case classJump:
		name := [...]string{"ja", "jeq", "jgt", "jge", "jset"}
		op := int(ins.Op & jumpMask >> 4)
		switch {
		case op >= len(name):
		case op == 0:
			return name[op], fmt.Sprint(i + 1 + int(ins.K))
		case ins.Op&sourceX != 0:
			return name[op], "x"
		default:
			return name[op], fmt.Sprintf("#%#x", ins.K)
		}
	case classReturn:
		if ins.Op&returnA != 0 {
			return "ret", ""
		}
		return "ret", fmt.Sprintf("#%d", int32(ins.K))
	case classMisc:
		if ins.Op&miscTXA != 0 {
			return "txa", ""
		}
		return "tax", ""
	}
	return "unimp", fmt.Sprintf("%#x", ins.Op)
}

// disassembleLoad returns an instruction that loads A or X in words.
func disassembleLoad(ins bpf.RawInstruction) (mnemonic, operand string) {
	mnemonic = "ld"
	if ins.Op&classMask == classLoadX {
		mnemonic = "ldx"
	}
	switch ins.Op & sizeMask {
	case sizeHalf:
		mnemonic += "h"
	case sizeByte:
		mnemonic += "b"
	}
	switch ins.Op & modeMask {
	case modeImmediate:
		return mnemonic, fmt.Sprintf("#%#x", ins.K)
	case modeAbsolute:
		return mnemonic, fmt.Sprintf("[%d]", int32(ins.K))
	case modeIndirect:
		return mnemonic, fmt.Sprintf("[x + %d]", int32(ins.K))
	case modeMemory:
		return mnemonic, fmt.Sprintf("M[%d]", ins.K)
	case modeLength:
		return mnemonic, "#pktlen"
	case modeHeader:
		return mnemonic, fmt.Sprintf("4*([%d]&0xf)", int32(ins.K))
	}
	return "unimp", fmt.Sprintf("%#x", ins.Op)
}

// disassembleALU returns an instruction that calculates in words.
func disassembleALU(ins bpf.RawInstruction) (mnemonic, operand string) {
	names := [...]string{
		"add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "neg", "mod", "xor",
	}
	op := int(ins.Op & aluMask >> 4)
	switch {
	case op >= len(names):
		return "unimp", fmt.Sprintf("%#x", ins.Op)
	case names[op] == "neg":
		return "neg", ""
	case ins.Op&sourceX != 0:
		return names[op], "x"
	case names[op] == "and" || names[op] == "or" || names[op] == "xor":
		return names[op], fmt.Sprintf("#%#x", ins.K)
	}
	return names[op], fmt.Sprintf("#%d", int32(ins.K))
}
