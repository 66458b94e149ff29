package load

import (
	"encoding/binary"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// state is what a program keeps from frame to frame, the only value of its
// map.
type state struct {
	Next  uint64 // number of the frame to send next
	Start uint64 // when the first frame was sent, by CLOCK_MONOTONIC in ns
	End   uint64 // when the first one was tried that is not wanted any more
}

const (
	nextOffset  = 0
	startOffset = 8
	endOffset   = 16
	stateLen    = 24
)

// Verdicts of an XDP program.
const (
	xdpDrop = 1
	xdpPass = 2
)

// Where the headers of frames of different sizes differ.
var sizeFields = [...]int{
	ethernetLen + 2,           // total length of IPv4
	ethernetLen + 10,          // its checksum
	ethernetLen + ipv4Len + 4, // length of UDP
}

// program is the XDP program of a load. The kernel calls it with one frame
// after another, each with room for the largest size. One that is not due yet,
// or of which there are enough, it drops; the others it numbers, cuts to
// their size, counts and passes on.
//
// R6 holds the context, R7 the state, R8 the number of the frame, and R9 by
// how much it is cut, which is negative.
func program(l Load, frames *Frames, m *ebpf.Map) *ebpf.ProgramSpec {
	code := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMapValue(asm.R7, m.FD(), 0),
		asm.LoadMem(asm.R8, asm.R7, nextOffset, asm.DWord),
		asm.JGE.Imm(asm.R8, int32(l.Count), "done"),
	}
	code = append(code, paced(gap(l.Rate))...)
	code = append(code,
		asm.LoadMem(asm.R2, asm.R6, 0, asm.Word), // data
		asm.LoadMem(asm.R3, asm.R6, 4, asm.Word), // data_end
		asm.Mov.Reg(asm.R4, asm.R2),
		asm.Add.Imm(asm.R4, int32(len(frames.largest))),
		asm.JGT.Reg(asm.R4, asm.R3, "drop"),
	)
	mixed := slices.ContainsFunc(l.Sizes, func(size int) bool { return size != l.Sizes[0] })
	if mixed {
		code = append(code, sized(frames)...)
	}
	code = append(code,
		asm.Mov.Reg(asm.R1, asm.R8).WithSymbol("number"),
		asm.HostTo(asm.BE, asm.R1, asm.Word),
		asm.StoreMem(asm.R2, sequenceOffset, asm.R1, asm.Word),
	)
	if mixed {
		code = append(code,
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Mov.Reg(asm.R2, asm.R9),
			asm.FnXdpAdjustTail.Call(),
			asm.JNE.Imm(asm.R0, 0, "drop"),
		)
	}
	code = append(code,
		asm.Add.Imm(asm.R8, 1),
		asm.StoreMem(asm.R7, nextOffset, asm.R8, asm.DWord),
		asm.Mov.Imm(asm.R0, xdpPass),
		asm.Return(),
		asm.LoadMem(asm.R1, asm.R7, endOffset, asm.DWord).WithSymbol("done"),
		asm.JNE.Imm(asm.R1, 0, "drop"),
		asm.FnKtimeGetNs.Call(),
		asm.StoreMem(asm.R7, endOffset, asm.R0, asm.DWord),
		asm.Mov.Imm(asm.R0, xdpDrop).WithSymbol("drop"),
		asm.Return(),
	)
	// Only programs under the GPL may ask for the time.
	return &ebpf.ProgramSpec{Type: ebpf.XDP, Instructions: code, License: "GPL"}
}

// paced notes when the first frame comes, which is due then, and drops others
// that are not due yet. With a gap of zero they always are.
func paced(gap uint64) asm.Instructions {
	if gap == 0 {
		return asm.Instructions{
			asm.JNE.Imm(asm.R8, 0, "started"),
			asm.FnKtimeGetNs.Call(),
			asm.StoreMem(asm.R7, startOffset, asm.R0, asm.DWord),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("started"),
		}
	}
	return asm.Instructions{
		asm.FnKtimeGetNs.Call(),
		asm.LoadMem(asm.R1, asm.R7, startOffset, asm.DWord),
		asm.JNE.Imm(asm.R1, 0, "started"),
		asm.StoreMem(asm.R7, startOffset, asm.R0, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.LoadImm(asm.R2, int64(gap), asm.DWord).WithSymbol("started"),
		asm.Mul.Reg(asm.R2, asm.R8),
		asm.RSh.Imm(asm.R2, gapShift),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.JLT.Reg(asm.R0, asm.R1, "drop"),
	}
}

// sized writes the headers that belong to the size whose turn it is, and sets
// R9. It goes on at "number". The pages of frames come back for others, so
// that every frame needs all of it.
func sized(frames *Frames) asm.Instructions {
	code := asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R8),
		asm.Mod.Imm(asm.R1, int32(len(frames.turn))),
	}
	var bodies asm.Instructions
	known := map[int]string{}
	for place, model := range frames.turn {
		name, ok := known[len(model)]
		if !ok {
			name = "size" + string(rune('a'+len(known)))
			known[len(model)] = name
			bodies = append(bodies, sizeBody(name, model, len(frames.largest))...)
		}
		code = append(code, asm.JEq.Imm(asm.R1, int32(place), name))
	}
	code = append(code, asm.Ja.Label("drop")) // there is no further place
	return append(code, bodies...)
}

func sizeBody(name string, model []byte, largest int) asm.Instructions {
	body := asm.Instructions{
		asm.Mov.Imm(asm.R9, int32(len(model)-largest)).WithSymbol(name),
	}
	for _, at := range sizeFields {
		value := binary.NativeEndian.Uint16(model[at:])
		body = append(body, asm.StoreImm(asm.R2, int16(at), int64(value), asm.Half))
	}
	return append(body, asm.Ja.Label("number"))
}
