package afpacket

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// frame is one packet of a block made by hand.
type frame struct {
	sec, nsec uint32
	data      []byte
	wire      int
	status    uint32
	tci, tpid uint16
	kind      PacketType
}

// build lays frames out as the kernel does.
func build(size int, frames ...frame) Block {
	const mac = frameData + 14 // room that the kernel leaves for alignment
	e := binary.NativeEndian
	b := make([]byte, size)
	e.PutUint32(b[blockStatus:], statusUser)
	e.PutUint32(b[blockPackets:], uint32(len(frames)))
	e.PutUint32(b[blockFirst:], blockHeader)
	at := uint32(blockHeader)
	for i, f := range frames {
		h := b[at:]
		step := uint32(mac+len(f.data)+7) &^ 7
		if i < len(frames)-1 {
			e.PutUint32(h[frameNext:], step)
		}
		e.PutUint32(h[frameSec:], f.sec)
		e.PutUint32(h[frameNsec:], f.nsec)
		e.PutUint32(h[frameSnaplen:], uint32(len(f.data)))
		e.PutUint32(h[frameLen:], uint32(f.wire))
		e.PutUint32(h[frameStatus:], f.status)
		e.PutUint16(h[frameMAC:], mac)
		e.PutUint32(h[frameVLANTCI:], uint32(f.tci))
		e.PutUint16(h[frameVLANTPID:], f.tpid)
		h[frameType] = byte(f.kind)
		copy(h[mac:], f.data)
		at += step
	}
	if n := len(frames); n > 0 {
		e.PutUint32(b[blockLast:], frames[n-1].sec)
		e.PutUint32(b[blockLast+4:], frames[n-1].nsec)
	}
	e.PutUint32(b[blockLen:], min(at, uint32(size)))
	return Block{data: b, held: new(atomic.Bool), freed: make(chan struct{}, 1)}
}

func TestBlockWalk(t *testing.T) {
	frames := []frame{
		{sec: 1, nsec: 2, data: []byte("first"), wire: 5},
		{sec: 1, nsec: 3, data: nil, wire: 60, kind: FromHost, status: statusCsumNotReady},
		{sec: 4e9, nsec: 999999999, data: bytes.Repeat([]byte{7}, 65549), wire: 65549, kind: ToGroup, tci: 1},
		{sec: 5, data: []byte("tagged"), wire: 6, status: statusVLAN | statusVLANTPID, tci: 0x6042, tpid: 0x88a8},
		{sec: 6, data: []byte("old kernel"), wire: 10, status: statusVLAN, tci: 7},
	}
	b := build(1<<17, frames...)
	if b.Len() != len(frames) {
		t.Fatalf("block of %d packets, want %d", b.Len(), len(frames))
	}
	var p Packet
	i := 0
	for at := b.First(); at != 0; at = b.Next(at) {
		b.Read(at, &p)
		f := frames[i]
		want := Packet{
			Time: int64(f.sec)*1e9 + int64(f.nsec), Data: f.data, Len: f.wire, Type: f.kind,
			PartialChecksum: f.status&statusCsumNotReady != 0,
		}
		if f.status&statusVLAN != 0 {
			want.VLAN = VLAN{TCI: f.tci, TPID: 0x8100, Present: true}
			if f.status&statusVLANTPID != 0 {
				want.VLAN.TPID = f.tpid
			}
		}
		if p.Time != want.Time || !bytes.Equal(p.Data, want.Data) || p.Len != want.Len || p.Type != want.Type ||
			p.VLAN != want.VLAN || p.PartialChecksum != want.PartialChecksum {
			t.Errorf("packet %d: got %+v, want %+v", i, p, want)
		}
		i++
	}
	if i != len(frames) {
		t.Errorf("walked %d packets, want %d", i, len(frames))
	}
	if b.LastTime() != p.Time {
		t.Errorf("last packet at %d, block says %d", p.Time, b.LastTime())
	}
	if b.Losing() {
		t.Error("a block without the mark is losing")
	}
	binary.NativeEndian.PutUint32(b.data[blockStatus:], statusUser|statusLosing)
	if !b.Losing() {
		t.Error("a block with the mark is not losing")
	}
	if empty := build(4096); empty.First() != 0 {
		t.Error("an empty block has a first packet")
	}
}

func TestReleaseHandsBack(t *testing.T) {
	b := build(4096)
	b.held.Store(true)
	b.Release()
	if b.held.Load() || binary.NativeEndian.Uint32(b.data[blockStatus:]) != unix.TP_STATUS_KERNEL {
		t.Error("released block is not the kernel's")
	}
	if len(b.freed) != 1 {
		t.Error("release was not announced")
	}
	b.Release() // a full channel must not block it
}

// A block that is moved has its packets still, in other memory.
func TestMove(t *testing.T) {
	frames := []frame{{data: []byte("one"), wire: 3}, {data: []byte("two"), wire: 3}}
	b := build(4096, frames...)
	ring := b.data
	b.held.Store(true)
	held := b.held
	b.Move(make([]byte, b.Size()))
	if held.Load() || binary.NativeEndian.Uint32(ring[blockStatus:]) != unix.TP_STATUS_KERNEL {
		t.Error("the original was not released")
	}
	clear(ring)
	var p Packet
	n := 0
	for at := b.First(); at != 0; at = b.Next(at) {
		b.Read(at, &p)
		if !bytes.Equal(p.Data, frames[n].data) {
			t.Errorf("packet %d is %q", n, p.Data)
		}
		n++
	}
	if n != len(frames) {
		t.Errorf("%d packets after the move, want %d", n, len(frames))
	}
}

// The layout constants are those of the kernel's headers.
func TestLayout(t *testing.T) {
	var d unix.TpacketHdrV1
	var h unix.Tpacket3Hdr
	var s unix.RawSockaddrLinklayer
	desc := unsafe.Sizeof(unix.TpacketBlockDesc{}) - unsafe.Sizeof([40]byte{})
	for name, pair := range map[string][2]uintptr{
		"block status":  {blockStatus, desc + unsafe.Offsetof(d.Block_status)},
		"block packets": {blockPackets, desc + unsafe.Offsetof(d.Num_pkts)},
		"block last":    {blockLast, desc + unsafe.Offsetof(d.Ts_last_pkt)},
		"block length":  {blockLen, desc + unsafe.Offsetof(d.Blk_len)},
		"block first":   {blockFirst, desc + unsafe.Offsetof(d.Offset_to_first_pkt)},
		"block header":  {blockHeader, unsafe.Sizeof(unix.TpacketBlockDesc{})},
		"next":          {frameNext, unsafe.Offsetof(h.Next_offset)},
		"sec":           {frameSec, unsafe.Offsetof(h.Sec)},
		"nsec":          {frameNsec, unsafe.Offsetof(h.Nsec)},
		"snaplen":       {frameSnaplen, unsafe.Offsetof(h.Snaplen)},
		"len":           {frameLen, unsafe.Offsetof(h.Len)},
		"status":        {frameStatus, unsafe.Offsetof(h.Status)},
		"mac":           {frameMAC, unsafe.Offsetof(h.Mac)},
		"vlan tci":      {frameVLANTCI, unsafe.Offsetof(h.Hv1) + unsafe.Offsetof(h.Hv1.Vlan_tci)},
		"vlan tpid":     {frameVLANTPID, unsafe.Offsetof(h.Hv1) + unsafe.Offsetof(h.Hv1.Vlan_tpid)},
		"packet type":   {frameType, unsafe.Sizeof(h) + unsafe.Offsetof(s.Pkttype)},
		"data":          {frameData, unsafe.Sizeof(h) + unsafe.Sizeof(s)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: at %d, want %d", name, pair[0], pair[1])
		}
	}
	for name, pair := range map[string][2]uint64{
		"user":     {statusUser, unix.TP_STATUS_USER},
		"losing":   {statusLosing, unix.TP_STATUS_LOSING},
		"csum":     {statusCsumNotReady, unix.TP_STATUS_CSUMNOTREADY},
		"vlan":     {statusVLAN, unix.TP_STATUS_VLAN_VALID},
		"tpid":     {statusVLANTPID, unix.TP_STATUS_VLAN_TPID_VALID},
		"outgoing": {uint64(FromHost), unix.PACKET_OUTGOING},
		"other":    {uint64(ToOther), unix.PACKET_OTHERHOST},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", name, pair[0], pair[1])
		}
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	frames := make([]frame, 100)
	for i := range frames {
		frames[i] = frame{data: make([]byte, 64), wire: 64}
	}
	b := build(1<<16, frames...)
	var p Packet
	sum := 0
	got := testing.AllocsPerRun(100, func() {
		for at := b.First(); at != 0; at = b.Next(at) {
			b.Read(at, &p)
			sum += len(p.Data)
		}
	})
	if got != 0 || sum == 0 {
		t.Errorf("%v allocations for 100 packets (%d bytes)", got, sum)
	}
}

// Whatever bytes stand in a block, a walk ends, stays inside, and does not
// panic.
func FuzzBlock(f *testing.F) {
	good := build(1024, frame{data: []byte("abc"), wire: 3}, frame{data: []byte("de"), wire: 2})
	f.Add(good.data)
	loop := build(1024, frame{data: []byte("abc"), wire: 3})
	binary.NativeEndian.PutUint32(loop.data[blockHeader+frameNext:], 1<<32-8)
	f.Add(loop.data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < blockHeader {
			return
		}
		b := BlockOf(data)
		if used := b.Used(); used < 0 || used > len(data) {
			t.Fatalf("%d of %d bytes used", used, len(data))
		}
		var p Packet
		steps := 0
		for at := b.First(); at != 0; at = b.Next(at) {
			b.Read(at, &p)
			if o := b.DataOffset(at); o > len(data) || len(p.Data) > 0 && o != indexOf(data, p.Data) {
				t.Fatalf("data at %d", o)
			}
			if steps++; steps > len(data) {
				t.Fatal("walk goes on for ever")
			}
			if len(p.Data) == 0 {
				continue
			}
			if start := indexOf(data, p.Data); start < 0 || start+cap(p.Data) > len(data) {
				t.Fatal("data outside of the block")
			}
		}
	})
}

// indexOf is where part starts in whole, by address.
func indexOf(whole, part []byte) int {
	return int(uintptr(unsafe.Pointer(&part[0])) - uintptr(unsafe.Pointer(&whole[0])))
}

func BenchmarkWalk(b *testing.B) {
	frames := make([]frame, 5000)
	for i := range frames {
		frames[i] = frame{data: make([]byte, 64), wire: 64}
	}
	block := build(1<<20, frames...)
	var p Packet
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for at := block.First(); at != 0; at = block.Next(at) {
			block.Read(at, &p)
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/pkt")
}
