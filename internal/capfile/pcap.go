package capfile

import (
	"encoding/binary"
	"fmt"
)

// A pcap is what the header of a pcap file says, and what of the pcapng file
// that it is read as is still to come.
type pcap struct {
	order   binary.ByteOrder
	nanos   bool
	pending [][]byte // blocks ahead of the first packet
	raw     []byte   // the block of the packet
}

// Lengths in a pcap file, in bytes.
const (
	pcapHeader = 24
	pcapRecord = 16
)

// Magic numbers of pcap.
const (
	magicMicros = 0xA1B2C3D4
	magicNanos  = 0xA1B23C4D
)

// newPcap reads the header of a pcap file.
func (r *Reader) newPcap() (*pcap, error) {
	head, err := r.peek(pcapHeader)
	if len(head) < 4 {
		return nil, err
	}
	p := &pcap{order: binary.LittleEndian}
	magic := p.order.Uint32(head)
	if magic != magicMicros && magic != magicNanos {
		p.order = binary.BigEndian
		magic = p.order.Uint32(head)
	}
	if magic != magicMicros && magic != magicNanos {
		return nil, ErrNotCapture
	}
	if err != nil {
		return nil, err
	}
	if major := p.order.Uint16(head[4:]); major != 2 {
		return nil, fmt.Errorf("pcap of version %d, which is not 2: %w", major, ErrNotCapture)
	}
	p.nanos = magic == magicNanos
	// The upper bits of the link type say how long the checksum of frames is.
	p.begin(uint16(p.order.Uint32(head[20:])), p.order.Uint32(head[16:]))
	r.skip = pcapHeader
	r.offset = pcapHeader
	r.order = binary.LittleEndian
	return p, nil
}

// begin makes the section and the interface.
func (p *pcap) begin(linkType uint16, snaplen uint32) {
	le := binary.LittleEndian
	section := le.AppendUint32(nil, TypeSection)
	section = le.AppendUint32(section, sectionLen)
	section = le.AppendUint32(section, 0x1A2B3C4D)
	section = le.AppendUint32(section, 1)
	section = le.AppendUint64(section, 1<<64-1)
	section = le.AppendUint32(section, sectionLen)

	const interfaceLen = interfaceOptions + 12 + trailerLen
	digits := byte(6)
	if p.nanos {
		digits = 9
	}
	own := le.AppendUint32(nil, TypeInterface)
	own = le.AppendUint32(own, interfaceLen)
	own = le.AppendUint16(own, linkType)
	own = append(own, 0, 0)
	own = le.AppendUint32(own, snaplen)
	own = append(own, optionResolution, 0, 1, 0, digits, 0, 0, 0, OptionEnd, 0, 0, 0)
	own = le.AppendUint32(own, interfaceLen)
	p.pending = [][]byte{section, own}
}

// nextOld returns the next block of a pcap file.
func (r *Reader) nextOld() (*Block, error) {
	p := r.old
	if len(p.pending) > 0 {
		raw := p.pending[0]
		p.pending = p.pending[1:]
		r.block = Block{Type: r.order.Uint32(raw), Raw: raw, Order: r.order}
		return &r.block, r.decode(&r.block)
	}
	head, err := r.peek(pcapRecord)
	if err != nil {
		return nil, err
	}
	captured := p.order.Uint32(head[8:])
	if captured > maxBlock-pcapRecord {
		return nil, r.wrong(fmt.Sprintf("a packet cannot have %d bytes", captured))
	}
	record, err := r.take(pcapRecord + int(captured))
	if err != nil {
		return nil, err
	}
	p.encode(record)
	r.block = Block{Type: TypePacket, Raw: p.raw, Order: r.order, Offset: r.offset}
	r.offset += int64(len(record))
	return &r.block, r.decode(&r.block)
}

// encode makes the block of a record.
func (p *pcap) encode(record []byte) {
	unit := uint64(1_000_000)
	if p.nanos {
		unit = 1_000_000_000
	}
	ticks := uint64(p.order.Uint32(record))*unit + uint64(p.order.Uint32(record[4:]))
	data := record[pcapRecord:]
	n := uint32(packetData + aligned(len(data)) + trailerLen)
	le := binary.LittleEndian
	b := le.AppendUint32(p.raw[:0], TypePacket)
	b = le.AppendUint32(b, n)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, uint32(ticks>>32))
	b = le.AppendUint32(b, uint32(ticks))
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, p.order.Uint32(record[12:]))
	b = append(b, data...)
	b = append(b, 0, 0, 0)[:len(b)+aligned(len(data))-len(data)]
	p.raw = le.AppendUint32(b, n)
}
