package afpacket

import "golang.org/x/net/bpf"

// Instructions of classic BPF that the programs here are made of, see
// linux/filter.h. Extensions are loads from a negative offset.
const (
	opLoadAbs   = 0x20 // BPF_LD | BPF_W | BPF_ABS
	opJumpEqual = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	opReturn    = 0x06 // BPF_RET | BPF_K

	extPacketType = 0xfffff000 + 4 // SKF_AD_OFF + SKF_AD_PKTTYPE
)

// rejectAll takes a socket off the wire while its ring lives on.
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
