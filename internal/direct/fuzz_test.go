package direct

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"icap/afpacket"
)

// Whatever bytes stand in a block, encoding ends and does not panic, writes to
// no byte ahead of DirectStart or behind the block, and what it returns is
// whole blocks of pcapng with as many packets as it says. It takes all packets
// or says what is wrong with the one that it stopped at.
//
// The input is the number of packets, the offset of the first, how much of the
// block is used, and the bytes from DirectStart on; zeros follow them up to the
// end of the block.
func FuzzEncode(f *testing.F) {
	const blockSize = afpacket.DirectStart + smallSize + 2*pageSize
	add := func(limit int, change func(data []byte), frames ...frame) {
		mem := build(blockSize, frames...)
		b := afpacket.BlockOf(mem)
		data := mem[afpacket.DirectStart:b.Used()]
		if change != nil {
			change(data)
		}
		f.Add(uint32(len(frames)), uint32(afpacket.DirectStart), uint32(b.Used()), limit, data)  // packed
		f.Add(uint32(len(frames)), uint32(afpacket.DirectStart), uint32(blockSize), limit, data) // in place
	}
	large := []frame{{data: content(300, 1)}, {data: content(301, 2), vlan: someVLAN}, {data: content(299, 3)}}
	small := []frame{{data: content(60, 1)}, {data: content(61, 2), vlan: someVLAN}, {data: content(0, 3)}}
	add(100, nil, large...)
	add(2, nil, large...)
	add(100, nil, small...)
	add(100, nil, frame{data: content(300, 1), mac: 73}, frame{data: content(300, 2), mac: 71})
	add(100, func(data []byte) { binary.NativeEndian.PutUint32(data, 8) }, large...)
	add(100, func(data []byte) { binary.NativeEndian.PutUint32(data[12:], 1<<31) }, small...)
	f.Fuzz(func(t *testing.T, packets, first, used uint32, limit int, data []byte) {
		const margin = 512
		around := alignedBlock(blockSize + margin)
		mem := around[:blockSize:blockSize]
		clear(mem)
		binary.NativeEndian.PutUint32(mem[12:], packets)
		binary.NativeEndian.PutUint32(mem[16:], first)
		binary.NativeEndian.PutUint32(mem[20:], used)
		copy(mem[afpacket.DirectStart:], data)
		ahead, behind := bytes.Clone(mem[:afpacket.DirectStart]), bytes.Clone(around[blockSize:])
		b := afpacket.BlockOf(mem)
		c, err := new(Encoder).Encode(&b, limit)
		if !bytes.Equal(mem[:afpacket.DirectStart], ahead) || !bytes.Equal(around[blockSize:], behind) {
			t.Fatal("wrote outside of the block")
		}
		if err != nil && !errors.Is(err, ErrLayout) {
			t.Fatal(err)
		}
		if err == nil && c.Packets != max(0, min(int(packets), limit)) {
			t.Fatalf("%d of %d packets, limit %d, and no error", c.Packets, packets, limit)
		}
		if (c.Packets == 0) != (len(c.Data) == 0) || !c.Small && len(c.Data)%pageSize != 0 || c.Small && len(c.Data) > smallSize {
			t.Fatalf("%d packets in %d bytes", c.Packets, len(c.Data))
		}
		if c.Packets == 0 {
			return
		}
		if blocks := parse(t, c.Data); len(blocks) != 1+c.Packets {
			t.Fatalf("%d blocks for %d packets", len(blocks), c.Packets)
		}
	})
}
