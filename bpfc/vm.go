package bpfc

import "encoding/binary"

// Match runs the program on a packet and returns the number of bytes to keep,
// 0 if the packet does not match. pkt is what was captured of it, wireLen its
// length on the wire, which "less" and "greater" look at.
//
// The machine is the kernel's (net/core/filter.c): a load past the end of pkt
// and a division by zero end the program with 0, shifts by X use its lowest
// five bits. A program that does not end, or that holds an instruction that
// the kernel would refuse, ends with 0 too. The kernel's ancillary data, at
// offsets from 0xfffff000, lies past the end of every packet. Match does not
// allocate.
func (p *Program) Match(pkt []byte, wireLen int) int {
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
			if a, ok = load32(ins.Op, ins.K, x, pkt, wireLen, &mem); !ok {
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

// load32 returns what a load into A yields.
func load32(
	op uint16, k, x uint32, pkt []byte, wireLen int, mem *[memoryWords]uint32,
) (loaded uint32, ok bool) {
	at := uint64(k)
	switch op & modeMask {
	case modeAbsolute:
	case modeIndirect:
		at += uint64(x)
		if at > allOnes {
			return 0, false
		}
	case modeImmediate:
		return k, true
	case modeMemory:
		return mem[k%memoryWords], true
	case modeLength:
		return uint32(wireLen), true
	default:
		return 0, false
	}
	n := uint64(len(pkt))
	switch op & sizeMask {
	case sizeWord:
		if at+4 <= n {
			return binary.BigEndian.Uint32(pkt[at:]), true
		}
	case sizeHalf:
		if at+2 <= n {
			return uint32(binary.BigEndian.Uint16(pkt[at:])), true
		}
	case sizeByte:
		if at < n {
			return uint32(pkt[at]), true
		}
	}
	return 0, false
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
