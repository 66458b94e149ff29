package direct

import (
	"encoding/binary"

	"icap/afpacket"
)

// A packet is one of a block, and the place that it gets in the file. All
// places are offsets into the block's memory.
type packet struct {
	afpacket.Packet
	next     uint32 // offset of the following packet, 0: none
	from     int    // of the data, as the kernel has put it
	tag      int    // bytes that the VLAN tag takes, put back
	captured int    // bytes of data in the file, tag included
	start    int    // of the packet's block
	end      int    // of the padded data
}

// read takes all that is to be known of the packet at an offset, since what is
// ahead of its data will be overwritten. It says where its block would begin
// if the data stayed where it is. A tag moves the hardware addresses, and data
// that is not aligned moves by up to 3 bytes.
func (p *packet) read(b *afpacket.Block, at uint32, snaplen int) (start int) {
	b.Read(at, &p.Packet)
	p.next = b.Next(at)
	p.from = b.DataOffset(at)
	p.tag = 0
	if p.VLAN.Present && len(p.Data) >= tagOffset {
		p.tag = tagLen
	}
	p.captured = min(len(p.Data)+p.tag, max(snaplen, tagOffset+tagLen))
	return (p.from - p.tag - packetHeaderLen) &^ 3
}

// place puts the packet's block at start, if nothing that is still to be read
// is overwritten there and the block ends within limit. The last bytes of a
// packet that the kernel has cut because it is larger than a block make room
// for the trailer.
func (p *packet) place(start, limit int) bool {
	room := (limit - trailerLen - packetHeaderLen - start) &^ 3
	p.captured = min(p.captured, room)
	p.start = start
	p.end = start + packetHeaderLen + (p.captured+3)&^3
	return start+packetHeaderLen+p.tag <= p.from && p.captured >= 0 && (p.tag == 0 || p.captured >= tagOffset+tagLen)
}

// write writes header and data. It moves data only down, and most of it only
// in packed blocks.
func (p *packet) write(mem []byte, iface uint32) {
	h := mem[p.start : p.start+packetHeaderLen]
	binary.LittleEndian.PutUint32(h, blockPacket)
	binary.LittleEndian.PutUint32(h[8:], iface)
	putTime(h[12:], p.Time)
	binary.LittleEndian.PutUint32(h[20:], uint32(p.captured))
	binary.LittleEndian.PutUint32(h[24:], uint32(max(p.Len, len(p.Data))+p.tag))

	data := mem[p.start+packetHeaderLen : p.end]
	if p.tag != 0 {
		copy(data, p.Data[:tagOffset])
		if p.start+packetHeaderLen+p.tag != p.from {
			copy(data[tagOffset+tagLen:p.captured], p.Data[tagOffset:])
		}
		binary.BigEndian.PutUint16(data[tagOffset:], p.VLAN.TPID)
		binary.BigEndian.PutUint16(data[tagOffset+2:], p.VLAN.TCI)
	} else if p.start+packetHeaderLen != p.from {
		copy(data[:p.captured], p.Data)
	}
	clear(data[p.captured:])
}

// close writes the options, which fill the packet's block up to end, and the
// lengths.
func (e *Encoder) close(p *packet, mem []byte, end int) {
	total := uint32(end - p.start)
	binary.LittleEndian.PutUint32(mem[p.start+4:], total)
	binary.LittleEndian.PutUint32(mem[end-trailerLen:], total)
	o := mem[p.end : end-trailerLen]
	if len(o) >= flagsLen+endLen && !e.NoFlags {
		putOption(o, optPacketFlags, 4)
		binary.LittleEndian.PutUint32(o[4:], flags[min(p.Type, afpacket.FromHost)])
		o = o[flagsLen:]
	}
	if len(o) >= idLen+queueLen+endLen {
		putOption(o, optPacketID, 8)
		binary.LittleEndian.PutUint64(o[4:], uint64(e.Queue)<<48|e.packets)
		putOption(o[idLen:], optPacketQueue, 4)
		binary.LittleEndian.PutUint32(o[idLen+4:], e.Queue)
		o = o[idLen+queueLen:]
	}
	putEnd(o)
	e.packets++
}
