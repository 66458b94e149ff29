package istiofilter_test

import (
	"encoding/binary"
	"net/netip"

	"icap/internal/flow"
	"icap/istiofilter"
)

// A packet is a frame to be built, and where it is seen.
type packet struct {
	loopback, sent bool
	proto          uint8 // 0 is ARP
	src, dst       netip.AddrPort
	flags          flow.Flags
	fragment       bool // not the first one: without ports
	link           string
	origin         istiofilter.Origin
}

const (
	etherLen  = 14
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
	ipv6Frag  = 44
)

// frame is the packet as an Ethernet frame.
func (p packet) frame() []byte {
	frame := make([]byte, etherLen, 128)
	switch {
	case p.proto == 0:
		binary.BigEndian.PutUint16(frame[12:], etherARP)
		return append(frame, make([]byte, 46)...)
	case p.src.Addr().Is4():
		binary.BigEndian.PutUint16(frame[12:], etherIPv4)
		frame = p.ipv4(frame)
	default:
		binary.BigEndian.PutUint16(frame[12:], etherIPv6)
		frame = p.ipv6(frame)
	}
	if p.fragment {
		return append(frame, make([]byte, 64)...)
	}
	return append(frame, p.transport()...)
}

func (p packet) ipv4(frame []byte) []byte {
	var ip [20]byte
	ip[0], ip[8], ip[9] = 0x45, 64, p.proto
	binary.BigEndian.PutUint16(ip[2:], 20+64)
	if p.fragment {
		binary.BigEndian.PutUint16(ip[6:], 185)
	}
	copy(ip[12:], p.src.Addr().AsSlice())
	copy(ip[16:], p.dst.Addr().AsSlice())
	return append(frame, ip[:]...)
}

func (p packet) ipv6(frame []byte) []byte {
	var ip [40]byte
	ip[0], ip[6], ip[7] = 0x60, p.proto, 64
	binary.BigEndian.PutUint16(ip[4:], 64)
	copy(ip[8:], p.src.Addr().AsSlice())
	copy(ip[24:], p.dst.Addr().AsSlice())
	if !p.fragment {
		return append(frame, ip[:]...)
	}
	ip[6] = ipv6Frag
	frame = append(frame, ip[:]...)
	return append(frame, p.proto, 0, 0x05, 0xc8, 0, 0, 0, 1)
}

// transport is the header of TCP, which is good enough for the ports of UDP
// and SCTP and for the body of ICMP.
func (p packet) transport() []byte {
	b := make([]byte, 64)
	if p.proto == flow.ProtoTCP || p.proto == flow.ProtoUDP || p.proto == flow.ProtoSCTP {
		binary.BigEndian.PutUint16(b, p.src.Port())
		binary.BigEndian.PutUint16(b[2:], p.dst.Port())
	}
	b[12], b[13] = 5<<4, byte(p.flags)
	return b
}

// decoded is what the capture tells the classifier of a frame.
func decoded(frame []byte, loopback, sent bool) istiofilter.Packet {
	var h flow.Headers
	h.Decode(frame)
	return istiofilter.Packet{
		Loopback: loopback,
		Sent:     sent,
		Proto:    h.Proto,
		Src:      h.Src,
		Dst:      h.Dst,
		SYN:      h.Flags&flow.SYN != 0,
		ACK:      h.Flags&flow.ACK != 0,
		FIN:      h.Flags&flow.FIN != 0,
		RST:      h.Flags&flow.RST != 0,
	}
}

// seen is what the classifier is told of the packet.
func (p packet) seen() istiofilter.Packet {
	seen := decoded(p.frame(), p.loopback, p.sent)
	seen.Link, seen.Origin = p.link, p.origin
	return seen
}
