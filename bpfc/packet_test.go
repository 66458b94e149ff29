package bpfc

import (
	"encoding/binary"
	"net/netip"
)

// The functions below build packets by hand, from the inside to the outside.

var (
	macA = [6]byte{0x02, 0, 0, 0, 0, 0x0a}
	macB = [6]byte{0x02, 0, 0, 0, 0, 0x0b}
)

// ethernet returns a frame from macA to macB.
func ethernet(etherType uint16, payload []byte) []byte {
	frame := append([]byte{}, macB[:]...)
	frame = append(frame, macA[:]...)
	frame = binary.BigEndian.AppendUint16(frame, etherType)
	return append(frame, payload...)
}

// An ip4 is the variable part of an IPv4 header.
type ip4 struct {
	proto    byte
	src, dst string
	options  int    // bytes
	fragment uint16 // flags and offset
}

// packet returns a frame with an IPv4 packet.
func (h ip4) packet(payload []byte) []byte {
	b := make([]byte, 20+h.options)
	b[0] = 0x40 | byte(len(b)/4)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(payload)))
	binary.BigEndian.PutUint16(b[6:], h.fragment)
	b[8], b[9] = 64, h.proto
	copy(b[12:], netip.MustParseAddr(h.src).AsSlice())
	copy(b[16:], netip.MustParseAddr(h.dst).AsSlice())
	return ethernet(etherIPv4, append(b, payload...))
}

// An ip6 is the variable part of an IPv6 header.
type ip6 struct {
	next     byte
	src, dst string
}

// packet returns a frame with an IPv6 packet.
func (h ip6) packet(payload []byte) []byte {
	b := make([]byte, 40)
	b[0] = 0x60
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = h.next, 64
	copy(b[8:], netip.MustParseAddr(h.src).AsSlice())
	copy(b[24:], netip.MustParseAddr(h.dst).AsSlice())
	return ethernet(etherIPv6, append(b, payload...))
}

// ports returns the first 20 bytes of a TCP, UDP or SCTP packet.
func ports(src, dst uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	return append(b, make([]byte, 16)...)
}

// arp returns a frame with an ARP or RARP packet.
func arp(etherType uint16, src, dst string) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 1}
	b = append(b, macA[:]...)
	b = append(b, netip.MustParseAddr(src).AsSlice()...)
	b = append(b, macB[:]...)
	b = append(b, netip.MustParseAddr(dst).AsSlice()...)
	return ethernet(etherType, append(b, make([]byte, 18)...))
}

// tcp4 returns a TCP packet over IPv4.
func tcp4(src, dst string, srcPort, dstPort uint16) []byte {
	return ip4{proto: protoTCP, src: src, dst: dst}.packet(ports(srcPort, dstPort))
}

// udp4 returns a UDP packet over IPv4.
func udp4(src, dst string, srcPort, dstPort uint16) []byte {
	return ip4{proto: protoUDP, src: src, dst: dst}.packet(ports(srcPort, dstPort))
}

// tcp6 returns a TCP packet over IPv6.
func tcp6(src, dst string, srcPort, dstPort uint16) []byte {
	return ip6{next: protoTCP, src: src, dst: dst}.packet(ports(srcPort, dstPort))
}

// fragment6 returns a fragment of an IPv6 packet.
func fragment6(proto byte, src, dst string) []byte {
	header := []byte{proto, 0, 0, 1, 0, 0, 0, 1}
	return ip6{next: protoFragment, src: src, dst: dst}.packet(append(header, ports(1, 2)...))
}
