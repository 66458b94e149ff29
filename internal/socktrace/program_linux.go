package socktrace

import (
	"math/bits"

	"github.com/cilium/ebpf/asm"
)

// The programs fill one record on the stack, below the frame pointer, and send
// it. What is not there stays 0.
const (
	atKind   = 0
	atOwned  = 4
	atPID    = 8 // thread group in the upper half
	atComm   = 16
	atNetns  = 32
	atUID    = 36
	atFirst  = 40 // the old state, or the reason
	atSecond = 44 // the new state
	atFamily = 48
	atPort   = 50 // of a full socket in network order, else in the machine's
	atDport  = 52
	atState  = 54
	atFull   = 55 // the socket is neither a request nor in TIME_WAIT
	atSrc    = 56
	atDst    = 60
	atSrc6   = 64
	atDst6   = 80
	atIP     = 96  // the header of the packet that is answered
	atTCP    = 136 // its ports
	atTime   = 144
	atSocket = 152

	recordLen = 160
	ipLen     = 40
	commLen   = 16
)

// scratch is where the stack has room for a pointer, behind the record.
const scratch = -recordLen - 8

// States of tcp_states.h. Sockets that wait out their time and requests are
// small ones, without an owner.
const (
	stateSynSent  = 2
	stateTimeWait = 6
	stateListen   = 10
	stateRequest  = 12
)

// A writer makes a program. Registers: R6 is the socket, R7 the packet, R8 the
// arguments of the tracepoint, R9 whatever is followed.
type writer struct {
	layout
	code asm.Instructions
}

func (w *writer) add(code ...asm.Instruction) { w.code = append(w.code, code...) }

// label names the next instruction, which must follow.
func (w *writer) label(name string) {
	w.add(asm.Mov.Reg(asm.R0, asm.R0).WithSymbol(name))
}

// slot is where a field of the record is, from the frame pointer.
func slot(at int16) int16 { return at - recordLen }

// read copies from the kernel's memory to the stack. What cannot be read is 0.
func (w *writer) read(to int16, size int32, base asm.Register, offset int32) {
	w.add(
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(to)),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, base), asm.Add.Imm(asm.R3, offset),
		asm.FnProbeReadKernel.Call(),
	)
}

// follow makes R9 the pointer that is read there.
func (w *writer) follow(base asm.Register, offset int32) {
	w.read(scratch, 8, base, offset)
	w.add(asm.LoadMem(asm.R9, asm.RFP, scratch, asm.DWord))
}

// begin clears the record, and says what it is and who runs.
func (w *writer) begin(kind Kind) {
	w.add(asm.Mov.Reg(asm.R8, asm.R1), asm.Mov.Imm(asm.R6, 0), asm.Mov.Imm(asm.R7, 0), asm.Mov.Imm(asm.R0, 0))
	for at := int16(scratch); at < 0; at += 8 {
		w.add(asm.StoreMem(asm.RFP, at, asm.R0, asm.DWord))
	}
	w.add(
		asm.StoreImm(asm.RFP, slot(atKind), int64(kind), asm.Word),
		asm.FnKtimeGetNs.Call(), asm.StoreMem(asm.RFP, slot(atTime), asm.R0, asm.DWord),
		asm.FnGetCurrentPidTgid.Call(), asm.StoreMem(asm.RFP, slot(atPID), asm.R0, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(slot(atComm))),
		asm.Mov.Imm(asm.R2, commLen), asm.FnGetCurrentComm.Call(),
	)
}

// argument loads one of those of the tracepoint.
func (w *writer) argument(to asm.Register, n int16) {
	w.add(asm.LoadMem(to, asm.R8, 8*n, asm.DWord))
}

// keep stores an argument of 32 bits in the record.
func (w *writer) keep(at, n int16) {
	w.argument(asm.R1, n)
	w.add(asm.StoreMem(asm.RFP, slot(at), asm.R1, asm.Word))
}

// socket reads what all sockets have, and if it is a full one, its user and
// whether somebody has locked it: then that is who runs.
func (w *writer) socket() {
	w.add(asm.JEq.Imm(asm.R6, 0, "no socket"), asm.StoreMem(asm.RFP, slot(atSocket), asm.R6, asm.DWord))
	for _, f := range []struct {
		to   int16
		size int32
		from int32
	}{
		{atFamily, 2, w.family}, {atPort, 2, w.port}, {atDport, 2, w.dport}, {atState, 1, w.state},
		{atSrc, 4, w.src}, {atDst, 4, w.dst}, {atSrc6, 16, w.src6}, {atDst6, 16, w.dst6},
	} {
		w.read(slot(f.to), f.size, asm.R6, f.from)
	}
	w.follow(asm.R6, w.net)
	w.read(slot(atNetns), 4, asm.R9, w.inum)
	w.add(
		asm.LoadMem(asm.R1, asm.RFP, slot(atState), asm.Byte),
		asm.JEq.Imm(asm.R1, stateTimeWait, "no socket"), asm.JEq.Imm(asm.R1, stateRequest, "no socket"),
		asm.StoreImm(asm.RFP, slot(atFull), 1, asm.Byte),
	)
	w.read(slot(atPort), 2, asm.R6, w.sport)
	w.read(slot(atUID), 4, asm.R6, w.uid)
	w.read(slot(atOwned), 4, asm.R6, w.lock)
	w.label("no socket")
}

// packet reads the headers of the packet that is answered, and the namespace
// where it goes to.
func (w *writer) packet() {
	w.add(asm.JEq.Imm(asm.R7, 0, "no packet"))
	w.follow(asm.R7, w.head)
	for _, h := range []struct {
		to     int16
		size   int32
		offset int32
	}{{atIP, ipLen, w.network}, {atTCP, 4, w.transport}} {
		w.read(scratch, 2, asm.R7, h.offset)
		w.add(
			asm.LoadMem(asm.R1, asm.RFP, scratch, asm.Half),
			asm.Add.Reg(asm.R1, asm.R9),
			asm.StoreMem(asm.RFP, scratch, asm.R1, asm.DWord),
			asm.Mov.Reg(asm.R3, asm.R1),
			asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(slot(h.to))),
			asm.Mov.Imm(asm.R2, h.size),
			asm.FnProbeReadKernel.Call(),
		)
	}
	w.add(asm.LoadMem(asm.R1, asm.RFP, slot(atNetns), asm.Word), asm.JNE.Imm(asm.R1, 0, "no packet"))
	w.follow(asm.R7, w.route)
	w.add(asm.And.Imm(asm.R9, ^3)) // the lowest bits are flags
	w.follow(asm.R9, w.device)
	w.follow(asm.R9, w.deviceNet)
	w.read(slot(atNetns), 4, asm.R9, w.inum)
	w.label("no packet")
}

// end sends the record if it is of one of the namespaces, or if there are none.
func (w *writer) end(netns []uint64, ring int) asm.Instructions {
	w.add(asm.LoadMem(asm.R1, asm.RFP, slot(atNetns), asm.Word))
	for _, n := range netns {
		w.add(asm.JEq.Imm32(asm.R1, int32(uint32(n)), "wanted"))
	}
	if len(netns) > 0 {
		w.add(asm.Ja.Label("end"))
		w.label("wanted")
	}
	w.add(
		asm.LoadMapPtr(asm.R1, ring),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -recordLen),
		asm.Mov.Imm(asm.R3, recordLen), asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("end"), asm.Return(),
	)
	return w.code
}

// ofState is the program for inet_sock_set_state(sk, old, new).
func (l *layout) ofState(netns []uint64, ring int) asm.Instructions {
	w := &writer{layout: *l}
	w.begin(State)
	w.argument(asm.R6, 0)
	w.keep(atFirst, 1)
	w.keep(atSecond, 2)
	w.read(scratch, 2, asm.R6, w.protocol)
	w.add(asm.LoadMem(asm.R1, asm.RFP, scratch, asm.Half), asm.JNE.Imm(asm.R1, protoTCP, "end"))
	w.socket()
	return w.end(netns, ring)
}

// ofSent is the program for tcp_send_reset(sk, skb, reason); neither of the
// first two has to be there.
func (l *layout) ofSent(netns []uint64, ring int) asm.Instructions {
	w := &writer{layout: *l}
	w.begin(Sent)
	w.argument(asm.R6, 0)
	w.argument(asm.R7, 1)
	if w.reason {
		w.keep(atFirst, 2)
	}
	w.socket()
	w.packet()
	return w.end(netns, ring)
}

// ofReceived is the program for tcp_receive_reset(sk).
func (l *layout) ofReceived(netns []uint64, ring int) asm.Instructions {
	w := &writer{layout: *l}
	w.begin(Received)
	w.argument(asm.R6, 0)
	w.socket()
	return w.end(netns, ring)
}

const protoTCP = 6

// pages is how many bytes a ring for records takes: a power of 2 of pages.
func pages(records, page int) uint32 {
	return uint32(page) << bits.Len(uint(records*recordLen/page))
}
