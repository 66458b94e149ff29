package afpacket

import (
	"encoding/binary"
	"time"
)

// Layout of struct tpacket3_hdr and of the struct sockaddr_ll behind it, from
// linux/if_packet.h.
const (
	frameNext     = 0
	frameSec      = 4
	frameNsec     = 8
	frameSnaplen  = 12
	frameLen      = 16
	frameStatus   = 20
	frameMAC      = 24
	frameVLANTCI  = 32
	frameVLANTPID = 36
	frameType     = 48 + 10 // sll_pkttype
	frameData     = 48 + 20

	// frameOverhead is the most that a packet takes besides its data when it
	// is alone in a block: block and packet header, and alignment.
	frameOverhead = blockHeader + 128
)

// Bits of tp_status of a packet.
const (
	statusCsumNotReady = 1 << 3
	statusVLAN         = 1 << 4
	statusVLANTPID     = 1 << 6
)

// A PacketType tells to whom a packet was sent, as sll_pkttype of packet(7).
type PacketType uint8

// Packet types.
const (
	ToHost PacketType = iota
	ToAll
	ToGroup
	ToOther
	FromHost
)

// A VLAN is the tag that the network card or the kernel took out of the frame
// before the packet came to the ring.
type VLAN struct {
	TCI, TPID uint16
	Present   bool
}

// A Packet is a view of one packet in a Block. The reader fills one value
// again and again.
type Packet struct {
	// Time is when the kernel saw the packet, in nanoseconds since 1970, by
	// the wall clock.
	Time int64
	// Data is the captured part of the packet, from its Ethernet header on.
	// It lies in the ring and is valid until the block is released.
	Data []byte
	// Len is the length of the packet on the wire, VLAN not counted.
	Len int
	// Type tells to whom the packet was sent.
	Type PacketType
	// VLAN is a tag that is not in Data.
	VLAN VLAN
	// PartialChecksum means that the transport checksum is not filled in:
	// the packet never saw a network card that would do it.
	PartialChecksum bool
}

// Outgoing reports whether this host sent the packet.
func (p *Packet) Outgoing() bool { return p.Type == FromHost }

// Timestamp is Time as a time.Time.
func (p *Packet) Timestamp() time.Time { return time.Unix(0, p.Time) }

// Time is the time of the packet at an offset, as Packet.Time.
func (b *Block) Time(at uint32) int64 {
	return timeAt(b.data[at+frameSec : at+frameNsec+4])
}

// Read fills p with the packet at an offset that First or Next returned.
func (b *Block) Read(at uint32, p *Packet) {
	h := b.data[at : at+frameData]
	status := binary.NativeEndian.Uint32(h[frameStatus:])
	start := uint64(at) + uint64(binary.NativeEndian.Uint16(h[frameMAC:]))
	end := start + uint64(binary.NativeEndian.Uint32(h[frameSnaplen:]))
	size := uint64(len(b.data))
	start, end = min(start, size), min(end, size)

	p.Time = b.Time(at)
	p.Data = b.data[start:end:end]
	p.Len = int(binary.NativeEndian.Uint32(h[frameLen:]))
	p.Type = PacketType(h[frameType])
	p.PartialChecksum = status&statusCsumNotReady != 0
	p.VLAN = VLAN{}
	if status&statusVLAN != 0 {
		p.VLAN = vlan(h, status)
	}
}

// Frame is Read for those who want no more of a packet than its data, time and
// length. Plain is false if it has a tag that is not in the data.
func (b *Block) Frame(at uint32) (data []byte, time int64, length int, plain bool) {
	h := b.data[at : at+frameData]
	start := uint64(at) + uint64(binary.NativeEndian.Uint16(h[frameMAC:]))
	end := start + uint64(binary.NativeEndian.Uint32(h[frameSnaplen:]))
	size := uint64(len(b.data))
	start, end = min(start, size), min(end, size)
	plain = binary.NativeEndian.Uint32(h[frameStatus:])&statusVLAN == 0
	return b.data[start:end:end], timeAt(h[frameSec:]), int(binary.NativeEndian.Uint32(h[frameLen:])), plain
}

// vlan reads the tag. Kernels before 3.14 do not say which kind it was; then
// it was 802.1Q.
func vlan(h []byte, status uint32) VLAN {
	const dot1q = 0x8100
	v := VLAN{
		TCI:     uint16(binary.NativeEndian.Uint32(h[frameVLANTCI:])),
		TPID:    dot1q,
		Present: true,
	}
	if status&statusVLANTPID != 0 {
		v.TPID = binary.NativeEndian.Uint16(h[frameVLANTPID:])
	}
	return v
}
