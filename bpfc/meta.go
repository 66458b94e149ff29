package bpfc

import (
	"encoding/binary"
	"math/rand/v2"
)

// A Meta is what the kernel knows about a packet beside its bytes. Programs
// for sockets read it with loads from offsets that no packet has (SKF_AD_OFF
// and the offsets after it, in linux/filter.h).
type Meta struct {
	Protocol   uint16 // EtherType, as in sockaddr_ll.sll_protocol but not in network order
	PacketType uint8  // PACKET_HOST and so on, sockaddr_ll.sll_pkttype
	HAType     uint16 // ARPHRD_ETHER and so on, sockaddr_ll.sll_hatype

	// IfIndex is the interface that the packet came by. Without one, 0, loads
	// of IfIndex and HAType reject the packet.
	IfIndex uint32

	// The outermost VLAN tag, if it was taken out of the packet: TCI and TPID
	// are those of the tag.
	VLANPresent bool
	VLANTCI     uint16
	VLANTPID    uint16

	Mark   uint32
	Queue  uint16
	RXHash uint32
	CPU    uint32

	// NetOffset is where the network header begins, for loads relative to
	// it (SKF_NET_OFF).
	NetOffset int
}

// Ancillary data is at these offsets from ancillaryBase.
const (
	ancillaryProtocol    = 0
	ancillaryPacketType  = 4
	ancillaryIfIndex     = 8
	ancillaryAttribute   = 12
	ancillaryNested      = 16
	ancillaryMark        = 20
	ancillaryQueue       = 24
	ancillaryHAType      = 28
	ancillaryRXHash      = 32
	ancillaryCPU         = 36
	ancillaryXorX        = 40
	ancillaryVLANTag     = 44
	ancillaryVLANPresent = 48
	ancillaryPayload     = 52
	ancillaryRandom      = 56
	ancillaryVLANTPID    = 60
	ancillaryEnd         = 64
)

// Loads from offsets that are negative as signed numbers are relative to
// something else than the start of the packet.
const (
	ancillaryBase = 0xfffff000 // SKF_AD_OFF
	networkBase   = 0xfff00000 // SKF_NET_OFF
	linkBase      = 0xffe00000 // SKF_LL_OFF
	negative      = 0x80000000
)

// ancillary returns the ancillary data at an offset from ancillaryBase. It is
// not ok for what there is none of, which rejects the packet: without a Meta,
// and for netlink attributes and the offset of the payload.
func (m *Meta) ancillary(off, a, x uint32) (loaded uint32, ok bool) {
	switch {
	case off == ancillaryXorX:
		return a ^ x, true
	case off == ancillaryRandom:
		return rand.Uint32(), true
	case m == nil:
		return 0, false
	}
	switch off {
	case ancillaryProtocol:
		return uint32(m.Protocol), true
	case ancillaryPacketType:
		return uint32(m.PacketType & 7), true
	case ancillaryIfIndex:
		return m.IfIndex, m.IfIndex != 0
	case ancillaryHAType:
		return uint32(m.HAType), m.IfIndex != 0
	case ancillaryMark:
		return m.Mark, true
	case ancillaryQueue:
		return uint32(m.Queue), true
	case ancillaryRXHash:
		return m.RXHash, true
	case ancillaryCPU:
		return m.CPU, true
	case ancillaryVLANTag:
		return uint32(m.VLANTCI), true
	case ancillaryVLANPresent:
		if m.VLANPresent {
			return 1, true
		}
		return 0, true
	case ancillaryVLANTPID:
		return uint32(m.VLANTPID), true
	}
	return 0, false
}

// offset returns the offset from the start of the packet for one that is
// negative. It is not ok without a Meta.
func (m *Meta) offset(at uint32) (off int64, ok bool) {
	switch {
	case m == nil:
	case at >= networkBase:
		off, ok = int64(at-networkBase)+int64(m.NetOffset), true
	case at >= linkBase:
		off, ok = int64(at-linkBase), true
	}
	return off, ok && off >= 0
}

// loadAt returns the number of one, two or four bytes at an offset.
func loadAt(op uint16, off int64, pkt []byte) (loaded uint32, ok bool) {
	n := int64(len(pkt))
	switch op & sizeMask {
	case sizeWord:
		if off+4 <= n {
			return binary.BigEndian.Uint32(pkt[off:]), true
		}
	case sizeHalf:
		if off+2 <= n {
			return uint32(binary.BigEndian.Uint16(pkt[off:])), true
		}
	case sizeByte:
		if off < n {
			return uint32(pkt[off]), true
		}
	}
	return 0, false
}
