package pcapwriter

import (
	"encoding/binary"
	"slices"
)

// Options of a packet, from "Enhanced Packet Block".
const (
	optPacketFlags = 2
	optPacketDrops = 4
)

// Sizes of an Enhanced Packet Block, in bytes.
const (
	packetHeaderLen = 28 // everything ahead of the captured bytes
	packetFlagsLen  = optionHeaderLen + 4
	packetDropsLen  = optionHeaderLen + 8
	tagLen          = 4  // an 802.1Q tag: TPID and TCI
	tagOffset       = 12 // it stands behind the two hardware addresses
)

// Direction says which way a packet went: bits 0 and 1 of epb_flags.
type Direction uint8

// The directions. Wireshark calls them frame.packet_flags_direction.
const (
	DirectionUnknown Direction = iota
	Inbound
	Outbound
)

// Reception says how a packet was addressed: bits 2 to 4 of epb_flags.
type Reception uint8

// The kinds of reception.
const (
	ReceptionUnknown Reception = iota
	Unicast
	Multicast
	Broadcast
	Promiscuous // to another host, seen because the interface listens to all
)

// VLAN is a tag that the kernel took off a frame.
type VLAN struct {
	// TCI is the tag: priority, drop eligibility and VLAN number.
	TCI uint16
	// TPID is the ethertype of the tag; 0 means 0x8100, 802.1Q.
	TPID uint16
	// Present says that there was a tag. A tag of all zeros is one too.
	Present bool
}

// A Packet is what AppendPacket encodes. It is only read, and nothing of it is
// kept, so Data may be memory that the kernel owns.
type Packet struct {
	// Interface is the place of the packet's interface in the file, from 0.
	Interface uint32
	// Time is in nanoseconds since 1970-01-01 UTC.
	Time int64
	// Data is what was captured, beginning with the link layer.
	Data []byte
	// Len is the length on the wire in bytes, without the tag that VLAN puts
	// back. Anything below len(Data) counts as len(Data).
	Len int
	// Direction and Reception are left out when both are unknown.
	Direction Direction
	Reception Reception
	// VLAN, if present, is put back between the hardware addresses and the
	// ethertype while Data is copied; both lengths grow by 4. A frame that is
	// too short to have two hardware addresses is left as it is.
	VLAN VLAN
	// Comment is free text (opt_comment); most packets have none.
	Comment string
	// Drops counts the packets that were lost between the one before on this
	// interface and this one (epb_dropcount). The option is left out for 0.
	Drops uint64
}

// AppendPacket appends an Enhanced Packet Block and returns the longer slice.
// It does not allocate when b has room.
func AppendPacket(b []byte, p *Packet) []byte {
	if p.VLAN.Present || p.Drops != 0 || p.Comment != "" {
		return appendSpecial(b, p)
	}
	flags := p.flags()
	total := plainLen(len(p.Data), flags)
	start := len(b)
	b = slices.Grow(b, total)[:start+total]
	putPlain(b[start:], p.Interface, p.Time, p.Data, max(p.Len, len(p.Data)), flags)
	return b
}

// plainLen is how long the block is of a packet that has no option but flags:
// by far most packets.
func plainLen(captured int, flags uint32) int {
	n := packetHeaderLen + captured + padding(captured) + blockTrailerLen
	if flags != 0 {
		n += packetFlagsLen + optionHeaderLen
	}
	return n
}

// putPlain writes such a block over all of b.
func putPlain(b []byte, i uint32, ns int64, data []byte, wire int, flags uint32) {
	putPacketHeader(b, i, ns, len(b), len(data), wire)
	tail := b[len(b)-blockTrailerLen:]
	binary.LittleEndian.PutUint32(tail, uint32(len(b)))
	end := len(b) - blockTrailerLen
	if flags != 0 {
		end -= packetFlagsLen + optionHeaderLen
		t := b[end:][:packetFlagsLen+optionHeaderLen]
		binary.LittleEndian.PutUint32(t[0:], optPacketFlags|4<<16)
		binary.LittleEndian.PutUint32(t[4:], flags)
		binary.LittleEndian.PutUint32(t[8:], optEnd)
	}
	if len(data)&3 != 0 {
		binary.LittleEndian.PutUint32(b[end-4:], 0) // the padding, and what the data goes over
	}
	copy(b[packetHeaderLen:], data)
}

// PutFrame writes the block of a packet without options over the beginning of
// b, and returns how long it is; 0 if b is too short for it. Interface, time in
// nanoseconds, data and length on the wire are those of a [Packet].
func PutFrame(b []byte, i uint32, ns int64, data []byte, wire int) int {
	total := plainLen(len(data), 0)
	if total > len(b) {
		return 0
	}
	putPlain(b[:total], i, ns, data, max(wire, len(data)), 0)
	return total
}

// putPacketHeader writes everything ahead of the captured bytes.
func putPacketHeader(b []byte, i uint32, ns int64, total, captured, wire int) {
	h := b[:packetHeaderLen]
	binary.LittleEndian.PutUint32(h[0:], blockPacket)
	binary.LittleEndian.PutUint32(h[4:], uint32(total))
	binary.LittleEndian.PutUint32(h[8:], i)
	binary.LittleEndian.PutUint32(h[12:], uint32(ns>>32))
	binary.LittleEndian.PutUint32(h[16:], uint32(ns))
	binary.LittleEndian.PutUint32(h[20:], uint32(captured))
	binary.LittleEndian.PutUint32(h[24:], uint32(wire))
}

// appendSpecial is AppendPacket for packets that have a VLAN tag, or options
// besides flags.
func appendSpecial(b []byte, p *Packet) []byte {
	tag := 0
	if p.VLAN.Present && len(p.Data) >= tagOffset {
		tag = tagLen
	}
	captured := len(p.Data) + tag
	aligned := captured + padding(captured)
	start := len(b)
	end := start + packetHeaderLen + aligned
	b = slices.Grow(b, packetHeaderLen+aligned+optionsRoom(p)+blockTrailerLen)[:end]

	putPacketHeader(b[start:], p.Interface, p.Time, 0, captured, max(p.Len, len(p.Data))+tag)
	data := b[start+packetHeaderLen : end]
	if tag == 0 {
		copy(data, p.Data)
	} else {
		copy(data, p.Data[:tagOffset])
		putTag(data[tagOffset:], p.VLAN)
		copy(data[tagOffset+tagLen:], p.Data[tagOffset:])
	}
	clear(data[captured:])
	b = appendPacketOptions(b, p)
	return endBlock(b, start)
}

// flags are epb_flags.
func (p *Packet) flags() uint32 { return packetFlags(p.Direction, p.Reception) }

func packetFlags(d Direction, r Reception) uint32 {
	return uint32(d)&3 | uint32(r)&7<<2
}

// putTag writes a tag as it stands on the wire.
func putTag(b []byte, v VLAN) {
	const tpid8021Q = 0x8100
	tpid := v.TPID
	if tpid == 0 {
		tpid = tpid8021Q
	}
	binary.BigEndian.PutUint16(b[0:], tpid)
	binary.BigEndian.PutUint16(b[2:], v.TCI)
}

// optionsRoom is an upper bound of what appendPacketOptions appends. A byte of
// a comment takes three when it is not UTF-8.
func optionsRoom(p *Packet) int {
	n := packetFlagsLen + packetDropsLen + optionHeaderLen
	if p.Comment != "" {
		n += optionHeaderLen + min(3*len(p.Comment), maxOptionLen) + 3
	}
	return n
}

// appendPacketOptions appends the options that p has, and their end. A packet
// without any has no end of options either.
func appendPacketOptions(b []byte, p *Packet) []byte {
	options := len(b)
	b = appendString(b, optComment, p.Comment)
	if flags := p.flags(); flags != 0 {
		b = appendOptionHeader(b, optPacketFlags, 4)
		b = binary.LittleEndian.AppendUint32(b, flags)
	}
	if p.Drops != 0 {
		b = appendUint64(b, optPacketDrops, p.Drops)
	}
	if len(b) > options {
		b = appendOptionHeader(b, optEnd, 0)
	}
	return b
}
