package bpfc

import "golang.org/x/net/bpf"

// Match runs the program on a packet and returns the number of bytes to keep,
// 0 if the packet does not match. pkt is what was captured of it, wireLen its
// length on the wire, which "less" and "greater" look at. It is MatchMeta for
// packets of which nothing else is known, such as those of most files.
func (p *Program) Match(pkt []byte, wireLen int) int { return p.MatchMeta(pkt, wireLen, nil) }

// MatchMeta runs the program on a packet with what the kernel knows about it,
// as the kernel would run it on a socket. With m nil, a load of that rejects
// the packet.
//
// The machine is the kernel's (net/core/filter.c): a load past the end of pkt
// and a division by zero end the program with 0, shifts by X use its lowest
// five bits. A program that does not end, or that holds an instruction that
// the kernel would refuse, ends with 0 too. MatchMeta does not allocate.
func (p *Program) MatchMeta(pkt []byte, wireLen int, m *Meta) int {
	var a, x uint32
	var mem [memoryWords]uint32
	for pc := 0; uint(pc) < uint(len(p.Insns)); pc++ {
		ins := &p.Insns[pc]
		operand := ins.K
		if ins.Op&sourceX != 0 {
			operand = x // of calculations and jumps only
		}
		switch ins.Op & classMask {
		case classLoad:
			var ok bool
			if a, ok = loadA(ins, a, x, pkt, wireLen, m, &mem); !ok {
				return 0
			}

		case classLoadX:
			if ins.Op&modeMask == modeHeader {
				if uint64(ins.K) >= uint64(len(pkt)) {
					return 0
				}
				x = 4 * uint32(pkt[ins.K]&0xf)
				break
			}
			var ok bool
			if x, ok = loadX(ins.Op, ins.K, wireLen, &mem); !ok {
				return 0
			}

		case classStore:
			mem[ins.K%memoryWords] = a
		case classStoreX:
			mem[ins.K%memoryWords] = x

		case classALU:
			var ok bool
			if a, ok = calculate(ins.Op, a, operand); !ok {
				return 0
			}

		case classJump:
			var hold bool
			switch ins.Op & jumpMask {
			case jumpAlways:
				// In 64 bits, so that a jump can only lead forward.
				if uint64(ins.K) >= uint64(len(p.Insns)-pc) {
					return 0
				}
				pc += int(ins.K)
				continue
			case jumpEqual:
				hold = a == operand
			case jumpGreater:
				hold = a > operand
			case jumpGreaterE:
				hold = a >= operand
			case jumpAnyBit:
				hold = a&operand != 0
			default:
				return 0
			}
			if hold {
				pc += int(ins.Jt)
			} else {
				pc += int(ins.Jf)
			}

		case classReturn:
			keep := ins.K
			if ins.Op&returnA != 0 {
				keep = a
			}
			return int(min(uint64(keep), uint64(len(pkt))))

		case classMisc:
			if ins.Op&miscTXA != 0 {
				a = x
			} else {
				x = a
			}
		}
	}
	return 0
}

// loadA returns what a load into A yields.
func loadA(
	ins *bpf.RawInstruction, a, x uint32, pkt []byte, wireLen int, m *Meta,
	mem *[memoryWords]uint32,
) (loaded uint32, ok bool) {
	at := ins.K
	switch ins.Op & modeMask {
	case modeAbsolute:
		if at >= ancillaryBase {
			return m.ancillary(at-ancillaryBase, a, x)
		}
	case modeIndirect:
		at += x // modulo 2^32, as in the kernel
	case modeImmediate:
		return at, true
	case modeMemory:
		return mem[at%memoryWords], true
	case modeLength:
		return uint32(wireLen), true
	default:
		return 0, false
	}
	off := int64(at)
	if at >= negative {
		if off, ok = m.offset(at); !ok {
			return 0, false
		}
	}
	return loadAt(ins.Op, off, pkt)
}

// loadX returns what a load into X yields that does not read the packet.
func loadX(op uint16, k uint32, wireLen int, mem *[memoryWords]uint32) (uint32, bool) {
	switch op & modeMask {
	case modeImmediate:
		return k, true
	case modeMemory:
		return mem[k%memoryWords], true
	case modeLength:
		return uint32(wireLen), true
	}
	return 0, false
}

// calculate returns a combined with n.
func calculate(op uint16, a, n uint32) (uint32, bool) {
	switch op & aluMask {
	case aluAdd:
		return a + n, true
	case aluSub:
		return a - n, true
	case aluMul:
		return a * n, true
	case aluDiv:
		if n == 0 {
			return 0, false
		}
		return a / n, true
	case aluMod:
		if n == 0 {
			return 0, false
		}
		return a % n, true
	case aluOr:
		return a | n, true
	case aluAnd:
		return a & n, true
	case aluXor:
		return a ^ n, true
	case aluLsh:
		return a << (n & 31), true
	case aluRsh:
		return a >> (n & 31), true
	case aluNeg:
		return -a, true
	}
	return 0, false
}
