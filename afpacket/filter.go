package afpacket

import "golang.org/x/net/bpf"

// Instructions of classic BPF that the programs here are made of, see
// linux/filter.h. Extensions are loads from a negative offset.
const (
	opLoadAbs   = 0x20 // BPF_LD | BPF_W | BPF_ABS
	opAnd       = 0x54 // BPF_ALU | BPF_AND | BPF_K
	opJump      = 0x05 // BPF_JMP | BPF_JA
	opJumpEqual = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	opReturn    = 0x06 // BPF_RET | BPF_K

	extPacketType = 0xfffff000 + 4  // SKF_AD_OFF + SKF_AD_PKTTYPE
	extMark       = 0xfffff000 + 20 // SKF_AD_OFF + SKF_AD_MARK
)

// rejectAll keeps packets off a socket while its ring lives on.
var rejectAll = keep(0)

// keep is the program that keeps n bytes of every packet.
func keep(n int) []bpf.RawInstruction {
	return []bpf.RawInstruction{{Op: opReturn, K: uint32(n)}}
}

// onlyOutgoing lets program see the packets that this host sent, and
// rejects the others.
func onlyOutgoing(program []bpf.RawInstruction) []bpf.RawInstruction {
	return append([]bpf.RawInstruction{
		{Op: opLoadAbs, K: extPacketType},
		{Op: opJumpEqual, K: uint32(FromHost), Jt: 1},
		{Op: opReturn},
	}, program...)
}

// noOutgoing lets program see the packets that this host did not send.
func noOutgoing(program []bpf.RawInstruction) []bpf.RawInstruction {
	return append([]bpf.RawInstruction{
		{Op: opLoadAbs, K: extPacketType},
		{Op: opJumpEqual, K: uint32(FromHost), Jf: 1},
		{Op: opReturn},
	}, program...)
}

// marked lets program see the packets that have one of the marks, if there are
// any, and none of not.
func marked(marks, not []Mark, program []bpf.RawInstruction) []bpf.RawInstruction {
	const size = 4 // instructions that one mark takes, of which the last leaves
	var head []bpf.RawInstruction
	for _, m := range not {
		head = append(head, hasMark(m)...)
		head = append(head, bpf.RawInstruction{Op: opReturn})
	}
	for i, m := range marks {
		head = append(head, hasMark(m)...)
		// Over the marks that follow, and the rejection behind them.
		head = append(head, bpf.RawInstruction{Op: opJump, K: uint32(size*(len(marks)-1-i) + 1)})
	}
	if len(marks) > 0 {
		head = append(head, bpf.RawInstruction{Op: opReturn})
	}
	return append(head, program...)
}

// hasMark goes on with the next instruction if a packet has a mark, and leaves
// it out otherwise.
func hasMark(m Mark) []bpf.RawInstruction {
	return []bpf.RawInstruction{
		{Op: opLoadAbs, K: extMark},
		{Op: opAnd, K: m.Mask},
		{Op: opJumpEqual, K: m.Value, Jf: 1},
	}
}
