package bpfc

import (
	"testing"

	"golang.org/x/net/bpf"
)

// Shorthands for the instructions of the tables below.

func loadA32(k uint32) bpf.RawInstruction {
	return bpf.RawInstruction{Op: classLoad | modeImmediate, K: k}
}

func loadX32(k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opLoadNumberX, K: k} }

func op(code uint16, k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: code, K: k} }

// TestInstructions runs each instruction that loads, stores or calculates. The
// result is what A holds in the end; -1 stands for rejection.
func TestInstructions(t *testing.T) {
	pkt := make([]byte, 0x20000)
	copy(pkt, []byte{0x45, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x4f})
	end := uint32(len(pkt))
	tests := []struct {
		name  string
		insns []bpf.RawInstruction
		want  int
	}{
		{"ld [1]", []bpf.RawInstruction{op(opLoadWord, 1), op(classALU|aluRsh, 16)}, 0x102},
		{"ld of the end", []bpf.RawInstruction{op(opLoadWord, end-4)}, 0},
		{"ld past the end", []bpf.RawInstruction{op(opLoadWord, end-3)}, -1},
		{"ldh [1]", []bpf.RawInstruction{op(opLoadHalf, 1)}, 0x102},
		{"ldh past the end", []bpf.RawInstruction{op(opLoadHalf, end-1)}, -1},
		{"ldb [5]", []bpf.RawInstruction{op(opLoadByte, 5)}, 5},
		{"ldb past the end", []bpf.RawInstruction{op(opLoadByte, end)}, -1},
		{"ldb [x + 2]", []bpf.RawInstruction{loadX32(4), op(opLoadByteX, 2)}, 6},
		{"ldh [x + 2]", []bpf.RawInstruction{loadX32(4), op(opLoadHalfX, 2)}, 0x607},
		{"ld [x + 1]", []bpf.RawInstruction{loadX32(1), op(opLoadWordX, 1), op(classALU|aluRsh, 16)}, 0x203},
		{"ldb [x + 2] past the end", []bpf.RawInstruction{loadX32(end - 2), op(opLoadByteX, 2)}, -1},
		{"ldb [x + k] around", []bpf.RawInstruction{loadX32(allOnes), op(opLoadByteX, 6)}, 5},
		{"ld #7", []bpf.RawInstruction{loadA32(7)}, 7},
		{"ld #pktlen", []bpf.RawInstruction{op(opLoadLength, 0)}, 1514},
		{"ldx #pktlen", []bpf.RawInstruction{op(classLoadX|modeLength, 0), op(classMisc|miscTXA, 0)}, 1514},
		{"ldx #7", []bpf.RawInstruction{loadX32(7), op(classMisc|miscTXA, 0)}, 7},
		{"ldxb 4*([0]&0xf)", []bpf.RawInstruction{op(opLoadHeaderX, 0), op(classMisc|miscTXA, 0)}, 20},
		{"ldxb 4*([10]&0xf)", []bpf.RawInstruction{op(opLoadHeaderX, 10), op(classMisc|miscTXA, 0)}, 60},
		{"ldxb past the end", []bpf.RawInstruction{op(opLoadHeaderX, end)}, -1},
		{"st and ld", []bpf.RawInstruction{loadA32(9), op(classStore, 15), loadA32(0), op(classLoad|modeMemory, 15)}, 9},
		{"stx and ldx", []bpf.RawInstruction{
			loadX32(9), op(classStoreX, 3), loadX32(0), op(classLoadX|modeMemory, 3), op(classMisc|miscTXA, 0),
		}, 9},
		{"tax", []bpf.RawInstruction{loadA32(5), op(classMisc, 0), loadA32(0), op(classMisc|miscTXA, 0)}, 5},
		{"neg", []bpf.RawInstruction{loadA32(allOnes), op(classALU|aluNeg, 0)}, 1},
		{"memory is zero at first", []bpf.RawInstruction{loadA32(3), op(classLoad|modeMemory, 1)}, 0},
	}
	for _, tt := range tests {
		// 1 is added to tell 0 from rejection.
		p := program(append(tt.insns, op(classALU|aluAdd, 1), keepA)...)
		if got := p.Match(pkt, 1514); got != tt.want+1 {
			t.Errorf("%s: got %#x, want %#x", tt.name, got-1, tt.want)
		}
	}
}

// TestCalculations runs each calculation with a constant and with X.
func TestCalculations(t *testing.T) {
	tests := []struct {
		name  string
		alu   uint16
		a, k  uint32
		want  uint32
		fails bool
	}{
		{"add", aluAdd, 7, 3, 10, false},
		{"add around", aluAdd, allOnes, 2, 1, false},
		{"sub", aluSub, 7, 3, 4, false},
		{"sub around", aluSub, 3, 7, 0xfffffffc, false},
		{"mul", aluMul, 7, 3, 21, false},
		{"mul around", aluMul, 0x10001, 0x10000, 0x10000, false},
		{"div", aluDiv, 7, 3, 2, false},
		{"div by zero", aluDiv, 7, 0, 0, true},
		{"mod", aluMod, 7, 3, 1, false},
		{"mod by zero", aluMod, 7, 0, 0, true},
		{"or", aluOr, 5, 3, 7, false},
		{"and", aluAnd, 5, 3, 1, false},
		{"xor", aluXor, 5, 3, 6, false},
		{"lsh", aluLsh, 5, 3, 40, false},
		{"lsh by five bits", aluLsh, 5, 32, 5, false},
		{"rsh", aluRsh, 0x80000000, 31, 1, false},
		{"rsh by five bits", aluRsh, 5, 33, 2, false},
	}
	for _, tt := range tests {
		got, ok := calculate(tt.alu, tt.a, tt.k)
		if got != tt.want && !tt.fails || ok == tt.fails {
			t.Errorf("%s: got %#x, %v, want %#x", tt.name, got, ok, tt.want)
		}
		check := op(classJump|jumpEqual, tt.want)
		check.Jf = 1
		accept, reject := op(opReturnK, 9), op(opReturnK, 0)
		constant := program(loadA32(tt.a), op(classALU|tt.alu, tt.k), check, accept, reject)
		byX := program(loadA32(tt.a), loadX32(tt.k), op(classALU|tt.alu|sourceX, 0), check, accept, reject)
		for _, p := range []*Program{constant, byX} {
			if got := p.Match(longPacket, 1); got != 9 && !tt.fails || got != 0 && tt.fails {
				t.Errorf("%s: got %d\n%s", tt.name, got, p.Dump())
			}
		}
	}
}

// TestJumps runs each jump on both sides of its condition.
func TestJumps(t *testing.T) {
	tests := []struct {
		name string
		jump uint16
		a, k uint32
		want bool
	}{
		{"equal", jumpEqual, 5, 5, true},
		{"not equal", jumpEqual, 5, 6, false},
		{"greater", jumpGreater, 6, 5, true},
		{"not greater", jumpGreater, 5, 5, false},
		{"greater without sign", jumpGreater, 0x80000000, 1, true},
		{"greater or equal", jumpGreaterE, 5, 5, true},
		{"less", jumpGreaterE, 4, 5, false},
		{"a bit", jumpAnyBit, 6, 3, true},
		{"no bit", jumpAnyBit, 4, 3, false},
		{"no bits asked for", jumpAnyBit, allOnes, 0, false},
	}
	for _, tt := range tests {
		for _, source := range []uint16{0, sourceX} {
			k := tt.k
			if source == sourceX {
				k = ^tt.k // must not count
			}
			p := program(loadA32(tt.a), loadX32(tt.k),
				bpf.RawInstruction{Op: classJump | tt.jump | source, Jt: 1, Jf: 0, K: k},
				op(opReturnK, 1), op(opJump, 1), op(opReturnK, 2), op(opReturnK, 3))
			want := 1
			if tt.want {
				want = 3
			}
			if got := p.Match(longPacket, 1); got != want {
				t.Errorf("%s: got %d, want %d\n%s", tt.name, got, want, p.Dump())
			}
		}
	}
}

// TestDumpOfEachInstruction lists every mnemonic.
func TestDumpOfEachInstruction(t *testing.T) {
	jump := func(code uint16, k uint32) bpf.RawInstruction {
		return bpf.RawInstruction{Op: classJump | code, Jt: 1, Jf: 2, K: k}
	}
	tests := []struct {
		ins  bpf.RawInstruction
		want string
	}{
		{op(opLoadWord, 26), "ld       [26]"},
		{op(opLoadHalf, 12), "ldh      [12]"},
		{op(opLoadByte, 23), "ldb      [23]"},
		{op(opLoadHalf, ancillaryBase+ancillaryVLANTag), "ldh      [-4052]"},
		{op(opLoadWordX, 26), "ld       [x + 26]"},
		{op(opLoadHalfX, 12), "ldh      [x + 12]"},
		{op(opLoadByteX, 23), "ldb      [x + 23]"},
		{op(opLoadLength, 0), "ld       #pktlen"},
		{loadA32(16), "ld       #0x10"},
		{op(classLoad|modeMemory, 3), "ld       M[3]"},
		{op(opLoadHeaderX, 14), "ldxb     4*([14]&0xf)"},
		{loadX32(40), "ldx      #0x28"},
		{op(classLoadX|modeMemory, 3), "ldx      M[3]"},
		{op(classLoadX|modeLength, 0), "ldx      #pktlen"},
		{op(classStore, 3), "st       M[3]"},
		{op(classStoreX, 3), "stx      M[3]"},
		{op(classALU|aluAdd, 3), "add      #3"},
		{op(classALU|aluSub, 3), "sub      #3"},
		{op(classALU|aluMul, 3), "mul      #3"},
		{op(classALU|aluDiv, 3), "div      #3"},
		{op(classALU|aluMod, 3), "mod      #3"},
		{op(classALU|aluOr, 31), "or       #0x1f"},
		{op(opAndK, 31), "and      #0x1f"},
		{op(classALU|aluXor, 31), "xor      #0x1f"},
		{op(classALU|aluLsh, 3), "lsh      #3"},
		{op(classALU|aluRsh, 3), "rsh      #3"},
		{op(classALU|aluNeg, 0), "neg      "},
		{op(classALU|aluAdd|sourceX, 0), "add      x"},
		{op(opJump, 5), "ja       6"},
		{jump(jumpEqual, 17), "jeq      #0x11            jt 2\tjf 3"},
		{jump(jumpGreater, 17), "jgt      #0x11            jt 2\tjf 3"},
		{jump(jumpGreaterE, 17), "jge      #0x11            jt 2\tjf 3"},
		{jump(jumpAnyBit, 17), "jset     #0x11            jt 2\tjf 3"},
		{jump(jumpEqual|sourceX, 0), "jeq      x                jt 2\tjf 3"},
		{op(opReturnK, 262144), "ret      #262144"},
		{keepA, "ret      "},
		{op(classMisc, 0), "tax      "},
		{op(classMisc|miscTXA, 0), "txa      "},
		{op(classALU|0xb0, 0), "unimp    0xb4"},
		{op(classLoad|0xe0, 0), "unimp    0xe0"},
		{jump(0x50, 0), "unimp    0x55             jt 2\tjf 3"},
	}
	for _, tt := range tests {
		if got, want := program(tt.ins).Dump(), "(000) "+tt.want+"\n"; got != want {
			t.Errorf("%#x: got %q, want %q", tt.ins.Op, got, want)
		}
	}
}
