package cause

import (
	"fmt"
	"net/netip"

	"icap/internal/flow"
)

// ofComplaint judges what ICMP says of a packet to one side, which is whose.
func (v *Verdict) ofComplaint(whose, asker Part, e *flow.Event) {
	c := &e.Complaint
	to, from := e.Conn.Server, e.Conn.Client
	if e.ByClient {
		to, from = from, to
	}
	v.Evidence = fmt.Sprintf("ICMPv%d of type %d, code %d, from %s", c.Version, c.Type, c.Code, c.By)
	switch {
	case c.By == from.Addr() && inside(asker), c.By == to.Addr() && inside(whose):
		v.Who = "pod's kernel"
	case c.By == from.Addr() && asker != Peer:
		v.Who = fmt.Sprintf("%s's kernel", asker)
	case c.By == to.Addr():
		v.Who = fmt.Sprintf("%s's kernel, or a firewall on the way", whose)
	default:
		v.Who, v.Sure = "router or firewall on the way", Likely // by an address that anybody can use
	}
	v.Why = complaintWhy(c, e.Conn, to)
}

// inside reports whether a part is in the pod.
func inside(p Part) bool { return p == App || p == Proxy || p == Pod }

// Codes of ICMP's and ICMPv6's "destination unreachable".
const (
	codeNet, codeHost, codePort, codeNetUnknown, codeHostUnknown = 0, 1, 3, 6, 7

	code6Route, code6Address, code6Port = 0, 3, 4
)

// complaintWhy says what is wrong with the way to an address.
func complaintWhy(c *flow.Complaint, conn *flow.Conn, to netip.AddrPort) string {
	v4 := c.Version == 4
	switch {
	case c.TooBig() && c.MTU > 0:
		return fmt.Sprintf("packets to %s have to be smaller: at most %d bytes go through", to.Addr(), c.MTU)
	case c.TooBig():
		return fmt.Sprintf("packets to %s have to be smaller", to.Addr())
	case c.Looped():
		return fmt.Sprintf("packets to %s go in circles, or over too many routers", to.Addr())
	case v4 && c.Code == codePort, !v4 && c.Code == code6Port:
		if conn.Proto == flow.ProtoTCP {
			return fmt.Sprintf("a rule rejects connections to port %d: where nothing listens a kernel sends a RST", to.Port())
		}
		return fmt.Sprintf("nothing listens on UDP port %d, or a rule rejects it", to.Port())
	case v4 && (c.Code == codeNet || c.Code == codeNetUnknown), !v4 && c.Code == code6Route:
		return fmt.Sprintf("there is no route to %s", to.Addr())
	case v4 && (c.Code == codeHost || c.Code == codeHostUnknown), !v4 && c.Code == code6Address:
		return fmt.Sprintf("%s does not answer its neighbours, or a rule rejects it", to.Addr())
	case prohibited(c):
		return fmt.Sprintf("a firewall or a route prohibits packets to %s", to)
	}
	return fmt.Sprintf("packets to %s are not delivered", to)
}

// prohibited reports whether somebody has decided so.
func prohibited(c *flow.Complaint) bool {
	const net4, host4, communication4 = 9, 10, 13
	const administrative6, source6, reject6 = 1, 5, 6
	if c.Version == 4 {
		return c.Code == net4 || c.Code == host4 || c.Code == communication4
	}
	return c.Code == administrative6 || c.Code == source6 || c.Code == reject6
}
