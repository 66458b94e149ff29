package stitch

import (
	"encoding/binary"
	"net/netip"

	"icap/internal/flow"
)

// A half is what a packet shows of its connection.
type half struct {
	proto    uint8
	src, dst netip.AddrPort
}

// A View is a packet with its headers.
type View struct{ flow.Packet }

// half is the packet's side of its connection.
func (v *View) half() half { return half{v.Proto, v.Src, v.Dst} }

// redirected reports whether the packet is of a half that the kernel
// redirected: sent to this host's own loopback by somebody with another
// address. 127.0.0.6 is the proxy calling the app, and nothing is sent there
// but answers to it.
func (v *View) redirected() bool { return v.Transport != 0 && v.half().redirected() }

func (h half) redirected() bool {
	to := h.dst.Addr()
	return !h.src.Addr().IsLoopback() && (to == v4Loopback || to == v6Loopback)
}

var (
	v4Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	v6Loopback = netip.IPv6Loopback()
)

// query is the id of a DNS message over UDP; it is not ok where none was
// captured.
func (v *View) query() (id uint16, ok bool) {
	if v.Payload+2 > len(v.Data) {
		return 0, false
	}
	return binary.BigEndian.Uint16(v.Data[v.Payload:]), true
}
