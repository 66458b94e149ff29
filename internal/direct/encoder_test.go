package direct

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"icap/afpacket"
)

// content is data that no other packet has.
func content(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed*13 + i>>8)
	}
	return b
}

var someVLAN = afpacket.VLAN{TCI: 0x6042, TPID: 0x88a8, Present: true}

// encode makes a block into a chunk and checks all that holds of any: whole
// pages, the block's header untouched, statistics and then the packets.
func encode(t testing.TB, e *Encoder, mem []byte, frames []frame) (Chunk, []parsed) {
	t.Helper()
	header := bytes.Clone(mem[:afpacket.DirectStart])
	b := afpacket.BlockOf(mem)
	c, err := e.Encode(&b, len(frames))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mem[:afpacket.DirectStart], header) {
		t.Fatal("the header of the ring's block was overwritten")
	}
	c.Count(77, 7)
	if !c.Small && len(c.Data)%pageSize != 0 || &c.Data[0] != &mem[afpacket.DirectStart] || c.Packets != len(frames) {
		t.Fatalf("%d packets in %d bytes", c.Packets, len(c.Data))
	}
	blocks := parse(t, c.Data)
	if len(blocks) != 1+len(frames) || blocks[0].typ != blockStatistics {
		t.Fatalf("%d blocks for %d packets", len(blocks), len(frames))
	}
	if got := binary.LittleEndian.Uint64(blocks[0].options[optStatisticsDropped]); got != 7 {
		t.Fatalf("%d dropped", got)
	}
	for i := range frames {
		k := &blocks[1+i]
		k.compare(t, &frames[i])
		if got := binary.LittleEndian.Uint32(k.body); got != e.Interface {
			t.Fatalf("packet %d is of interface %d", i, got)
		}
		if got := k.options[optPacketFlags]; e.NoFlags && got != nil || !e.NoFlags && len(got) != 4 ||
			!e.NoFlags && binary.LittleEndian.Uint32(got) != flags[frames[i].kind] {
			t.Fatalf("packet %d of type %d has flags %x", i, frames[i].kind, got)
		}
	}
	return c, blocks
}

// Every length, with and without a tag, alone, first, in the middle and last
// in a block, next to a large neighbour, which keeps the packets in place, and
// next to a small one, which has them packed.
func TestEncodeEveryLength(t *testing.T) {
	lengths := []int{0, 1, 11, 12, 13, 60 << 10}
	for n := 14; n <= 1600; n++ {
		lengths = append(lengths, n)
	}
	small := frame{time: 17e17, data: content(14, 1), kind: afpacket.FromHost}
	large := frame{time: 17e17, data: content(smallSize, 1), kind: afpacket.FromHost}
	for _, n := range lengths {
		for _, vlan := range []afpacket.VLAN{{}, someVLAN} {
			f := frame{time: 17e17 + 123456789, data: content(n, n), wire: n + 9, kind: afpacket.PacketType(n % 5), vlan: vlan}
			for _, frames := range [][]frame{
				{f}, {f, small}, {small, f}, {small, f, small}, {f, f, f},
				{f, large}, {large, f}, {f, f, large, f, f},
			} {
				encode(t, &Encoder{Interface: 3, Queue: 5, NoFlags: n%4 == 0}, build(fitting(frames), frames...), frames)
			}
		}
	}
}

// fitting is the size of a block that frames do not fill.
func fitting(frames []frame) int {
	n := afpacket.DirectStart
	for _, f := range frames {
		n += (usualMAC + len(f.data) + 7) &^ 7
	}
	return n&^(pageSize-1) + 2*pageSize
}

// The kernel leaves at least 8 bytes at the end of a block. They are enough
// whatever the length of the last packet is.
func TestEncodeFullBlock(t *testing.T) {
	const size = 1 << 17
	room := func(n int) int { return (usualMAC + n + 7) &^ 7 }
	for n := 1; n < 4096; n++ {
		left := size - 8 - afpacket.DirectStart - room(size/2) - room(n)
		frames := []frame{{data: content(size/2, 2)}, {data: content(left-usualMAC-n%8, 4)}, {data: content(n, 3)}}
		b := afpacket.BlockOf(build(size, frames...))
		if b.Used() != size-8 {
			t.Fatalf("%d bytes used", b.Used())
		}
		c, err := new(Encoder).Encode(&b, 3)
		if err != nil || c.Packets != 3 {
			t.Fatalf("last of %d bytes: %v", n, err)
		}
		blocks := parse(t, c.Data)
		for i := range frames {
			blocks[1+i].compare(t, &frames[i])
		}
	}
}

// A packet that fills the block to its end, as the kernel cuts one that is
// larger, gives up a few bytes.
func TestEncodeCutPacket(t *testing.T) {
	for _, size := range []int{1 << 14, 1 << 17} {
		for n := range 8 {
			whole := frame{data: content(size-afpacket.DirectStart-usualMAC-n, 1), wire: 1 << 18}
			b := afpacket.BlockOf(build(size+8, whole)[:size])
			c, err := new(Encoder).Encode(&b, 1)
			if err != nil {
				t.Fatal(err)
			}
			k := parse(t, c.Data)[1]
			captured := int(binary.LittleEndian.Uint32(k.body[12:]))
			if lost := len(whole.data) - captured; lost < 0 || lost > 8 || !bytes.Equal(k.body[20:20+captured], whole.data[:captured]) {
				t.Errorf("%d of %d bytes are left", captured, len(whole.data))
			}
			if got := binary.LittleEndian.Uint32(k.body[16:]); got != 1<<18 {
				t.Errorf("length %d on the wire", got)
			}
		}
	}
}

// Blocks of packets of one size are packed where that saves much, and keep
// every packet where it is elsewhere.
func TestPackedOrInPlace(t *testing.T) {
	for _, n := range []int{14, 60, 64, 128, 200, 249, 260, 300, 335, 345, 512, 1500} {
		var frames []frame
		for i := range 1000 {
			frames = append(frames, frame{time: int64(i), data: content(n, i)})
		}
		mem := build(fitting(frames), frames...)
		c, blocks := encode(t, new(Encoder), mem, frames)
		copied := len(frames) * (32 + (n+3)&^3)
		if ratio := float64(len(c.Data)-pageSize) / float64(copied); n >= 60 && ratio > 1.15 {
			t.Errorf("%d bytes: the file is %.2f times that of the copy sink", n, ratio)
		}
		_, queue := blocks[1].options[optPacketQueue]
		if packed := n < 340; packed == queue {
			t.Errorf("%d bytes: packed %v, epb_queue %v", n, packed, queue)
		}
		for i, k := range blocks[1:] {
			id := k.options[optPacketID]
			if queue && i < len(frames)-1 && len(id) != 8 || len(id) == 8 && binary.LittleEndian.Uint64(id) != uint64(i) {
				t.Fatalf("%d bytes: packet %d has number %x", n, i, id)
			}
		}
	}
}

// A limit cuts the block, and what comes behind is as if it were not there.
func TestEncodeLimit(t *testing.T) {
	var frames []frame
	for i := range 50 {
		frames = append(frames, frame{time: int64(i), data: content(30+i*9, i)})
	}
	for n := range frames {
		b := afpacket.BlockOf(build(1<<16, frames...))
		c, err := new(Encoder).Encode(&b, n)
		if err != nil || c.Packets != n {
			t.Fatalf("%d packets, want %d: %v", c.Packets, n, err)
		}
		if n == 0 {
			if c.Data != nil {
				t.Error("data for no packets")
			}
			continue
		}
		blocks := parse(t, c.Data)
		blocks[n].compare(t, &frames[n-1])
	}
}

// Data that the kernel has put elsewhere, because the header of the link layer
// is longer, stays in place or moves a little.
func TestEncodeOtherOffsets(t *testing.T) {
	for mac := 72; mac < 100; mac++ {
		for _, vlan := range []afpacket.VLAN{{}, someVLAN} {
			var frames []frame
			for i := range 20 {
				frames = append(frames, frame{time: int64(i), data: content(9000+i, i), mac: mac, vlan: vlan})
			}
			t.Run(fmt.Sprint(mac, vlan.Present), func(t *testing.T) {
				encode(t, new(Encoder), build(1<<18, frames...), frames)
			})
		}
	}
}

// A tag must not make a packet longer than the file allows.
func TestEncodeSnaplen(t *testing.T) {
	f := frame{data: content(200, 1), vlan: someVLAN}
	b := afpacket.BlockOf(build(1<<16, f))
	c, err := (&Encoder{Snaplen: 202}).Encode(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := parse(t, c.Data)[1]
	data, _ := f.content()
	if n := binary.LittleEndian.Uint32(k.body[12:]); n != 202 || !bytes.Equal(k.body[20:222], data[:202]) {
		t.Errorf("%d bytes, want 202", n)
	}
	if wire := binary.LittleEndian.Uint32(k.body[16:]); wire != 204 {
		t.Errorf("length %d on the wire, want 204", wire)
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	var frames []frame
	for i := range 100 {
		frames = append(frames, frame{data: content(i*20, i), vlan: someVLAN})
	}
	fresh := build(1<<20, frames...)
	mem := bytes.Clone(fresh)
	var e Encoder
	if got := testing.AllocsPerRun(20, func() {
		copy(mem, fresh)
		b := afpacket.BlockOf(mem)
		if c, err := e.Encode(&b, 100); err != nil || c.Packets != 100 {
			t.Fatal(c.Packets, err)
		}
	}); got != 0 {
		t.Errorf("%v allocations a block", got)
	}
}
