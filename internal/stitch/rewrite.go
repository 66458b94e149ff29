package stitch

import (
	"encoding/binary"
	"net/netip"

	"icap/internal/flow"
)

// Rewrite gives a packet of the half its addresses back, with checksums that
// are right: in full where the segment was captured whole. Of a segment that
// was cut, a checksum that only covers the pseudo-header does so again, and a
// real one is updated by RFC 1624.
//
// v must be of this half, and the half Known. Afterwards v has the addresses
// that are in the packet.
func (c *Conn) Rewrite(v *View) {
	partial := v.partial()
	before := v.addressSum()
	v.put(c.src, c.dst)
	field := v.checksum()
	n, whole := v.segmentLen()
	switch {
	case field == nil || v.Proto == flow.ProtoUDP && binary.BigEndian.Uint16(field) == 0:
	case whole:
		v.fill()
	case partial:
		binary.BigEndian.PutUint16(field, fold(pseudoHeader(v.Src.Addr(), v.Dst.Addr(), v.Proto, n)))
	default:
		update(field, before, v.addressSum())
	}
}

// addressSum is the part of the transport checksum that addresses and ports
// make.
func (v *View) addressSum() uint64 {
	return sumAddr(v.Src.Addr()) + sumAddr(v.Dst.Addr()) + uint64(v.Src.Port()) + uint64(v.Dst.Port())
}

// update changes a checksum for a change of what it covers, RFC 1624 equation 3.
func update(field []byte, before, after uint64) {
	old := binary.BigEndian.Uint16(field)
	binary.BigEndian.PutUint16(field, ^fold(uint64(^old)+uint64(^fold(before))+after))
}

// Where addresses are in the headers of IP.
const (
	ipv4Src, ipv4Dst = 12, 16
	ipv6Src, ipv6Dst = 8, 24
)

// put writes addresses and ports. Those of a connection are of one version.
func (v *View) put(src, dst netip.AddrPort) {
	ip := v.Data[v.Network:]
	if src.Addr().Is4() {
		headerLen := int(ip[0]&0xf) * 4
		a, b := src.Addr().As4(), dst.Addr().As4()
		copy(ip[ipv4Src:], a[:])
		copy(ip[ipv4Dst:], b[:])
		ip[ipv4Checksum], ip[ipv4Checksum+1] = 0, 0
		binary.BigEndian.PutUint16(ip[ipv4Checksum:], ^fold(sum(ip[:headerLen], 0)))
	} else {
		a, b := src.Addr().As16(), dst.Addr().As16()
		copy(ip[ipv6Src:], a[:])
		copy(ip[ipv6Dst:], b[:])
	}
	l4 := v.Data[v.Transport:]
	binary.BigEndian.PutUint16(l4, src.Port())
	binary.BigEndian.PutUint16(l4[2:], dst.Port())
	v.Src, v.Dst = src, dst
}
