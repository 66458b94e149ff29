package stitch

import (
	"encoding/binary"
	"net/netip"

	"icap/internal/flow"
)

// sum adds up 16-bit words in ones' complement, RFC 1071. It is not folded.
func sum(b []byte, start uint64) uint64 {
	for len(b) >= 8 {
		v := binary.BigEndian.Uint64(b)
		start += v>>32 + v&0xffffffff
		b = b[8:]
	}
	for len(b) >= 2 {
		start += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		start += uint64(b[0]) << 8
	}
	return start
}

// fold brings a sum to 16 bits.
func fold(s uint64) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// pseudoHeader is the sum of what a transport checksum covers besides the
// segment: RFC 9293 3.1, RFC 8200 8.1.
func pseudoHeader(src, dst netip.Addr, proto uint8, length int) uint64 {
	return sumAddr(src) + sumAddr(dst) + uint64(proto) + uint64(length)>>16 + uint64(length)&0xffff
}

func sumAddr(a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return sum(b[:], 0)
	}
	b := a.As16()
	return sum(b[:], 0)
}

// Where the checksums are in their headers.
const (
	ipv4Checksum = 10
	tcpChecksum  = 16
	udpChecksum  = 6
)

// checksum is the field of the transport header, nil if it was not captured.
func (v *View) checksum() []byte {
	at := v.Transport + tcpChecksum
	if v.Proto == flow.ProtoUDP {
		at = v.Transport + udpChecksum
	}
	if v.Transport == 0 || at+2 > len(v.Data) {
		return nil
	}
	return v.Data[at : at+2]
}

// segmentLen is how long the segment is on the wire, and whether all of it was
// captured.
func (v *View) segmentLen() (n int, whole bool) {
	n = v.Payload + v.PayloadLen - v.Transport
	return n, v.Transport+n <= len(v.Data)
}

// partial reports whether the sender left the checksum to hardware that never
// came: the field then holds the sum of the pseudo-header alone.
func (v *View) partial() bool {
	field := v.checksum()
	n, _ := v.segmentLen()
	return field != nil && binary.BigEndian.Uint16(field) ==
		fold(pseudoHeader(v.Src.Addr(), v.Dst.Addr(), v.Proto, n))
}

// FillChecksum completes a partial transport checksum. It reports whether it
// could and had to.
func (v *View) FillChecksum() bool {
	_, whole := v.segmentLen()
	if v.Transport == 0 || v.Proto != flow.ProtoTCP && v.Proto != flow.ProtoUDP || !whole || !v.partial() {
		return false
	}
	v.fill()
	return true
}

// fill computes the checksum of a segment that is whole.
func (v *View) fill() {
	field := v.checksum()
	n, _ := v.segmentLen()
	field[0], field[1] = 0, 0
	c := ^fold(sum(v.Data[v.Transport:v.Transport+n], pseudoHeader(v.Src.Addr(), v.Dst.Addr(), v.Proto, n)))
	if c == 0 && v.Proto == flow.ProtoUDP {
		c = 0xffff // RFC 768: zero means that there is no checksum
	}
	binary.BigEndian.PutUint16(field, c)
}
