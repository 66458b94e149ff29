package bpfc

// Parts of a classic BPF opcode, from the kernel's bpf_common.h.
const (
	classMask   = 0x07
	classLoad   = 0x00
	classLoadX  = 0x01
	classStore  = 0x02
	classStoreX = 0x03
	classALU    = 0x04
	classJump   = 0x05
	classReturn = 0x06
	classMisc   = 0x07

	sizeMask = 0x18
	sizeWord = 0x00
	sizeHalf = 0x08
	sizeByte = 0x10

	modeMask      = 0xe0
	modeImmediate = 0x00
	modeAbsolute  = 0x20
	modeIndirect  = 0x40
	modeMemory    = 0x60
	modeLength    = 0x80
	modeHeader    = 0xa0

	sourceX = 0x08 // of calculations and jumps: X instead of k

	aluMask = 0xf0
	aluAdd  = 0x00
	aluSub  = 0x10
	aluMul  = 0x20
	aluDiv  = 0x30
	aluOr   = 0x40
	aluAnd  = 0x50
	aluLsh  = 0x60
	aluRsh  = 0x70
	aluNeg  = 0x80
	aluMod  = 0x90
	aluXor  = 0xa0

	jumpMask     = 0xf0
	jumpAlways   = 0x00
	jumpEqual    = 0x10
	jumpGreater  = 0x20
	jumpGreaterE = 0x30
	jumpAnyBit   = 0x40

	returnA = 0x10
	miscTXA = 0x80
)

// The instructions that programs of this package are made of.
const (
	opLoadWord    = classLoad | sizeWord | modeAbsolute // A = 4 bytes at [k]
	opLoadHalf    = classLoad | sizeHalf | modeAbsolute // A = 2 bytes at [k]
	opLoadByte    = classLoad | sizeByte | modeAbsolute // A = the byte at [k]
	opLoadWordX   = classLoad | sizeWord | modeIndirect // the same at [X+k]
	opLoadHalfX   = classLoad | sizeHalf | modeIndirect
	opLoadByteX   = classLoad | sizeByte | modeIndirect
	opLoadLength  = classLoad | modeLength             // A = packet length
	opLoadHeaderX = classLoadX | sizeByte | modeHeader // X = 4*([k]&0xf)
	opLoadNumber  = classLoad | modeImmediate          // A = k
	opLoadNumberX = classLoadX | modeImmediate         // X = k
	opLoadLengthX = classLoadX | modeLength            // X = packet length
	opLoadMemoryX = classLoadX | modeMemory            // X = M[k]
	opStore       = classStore                         // M[k] = A
	opStoreX      = classStoreX                        // M[k] = X
	opTAX         = classMisc                          // X = A
	opTXA         = classMisc | miscTXA                // A = X
	opAndK        = classALU | aluAnd                  // A &= k
	opJump        = classJump | jumpAlways             // skip k instructions
	opReturnK     = classReturn                        // keep k bytes
)

// memoryWords is the number of words of scratch memory, M[].
const memoryWords = 16
