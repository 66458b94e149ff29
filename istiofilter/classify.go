package istiofilter

import (
	"net/netip"
	"slices"
)

// A Packet is what a Classifier needs to know of a packet.
type Packet struct {
	// Loopback is whether it was seen on the loopback interface.
	Loopback bool
	// Link is the name of the interface, if there are rules for some.
	Link string
	// Origin is who sent it, as far as its mark tells.
	Origin Origin
	// Opener is who opened the connection of a SYN that the pod has sent.
	Opener Opener
	// Time is when it was seen, in nanoseconds; 0 if that is not known.
	Time int64
	// Sent is whether this pod sent it. On lo it does not matter.
	Sent bool
	// Proto is the IP protocol, 0 for a packet that is not IP.
	Proto uint8
	// Src and Dst are valid if the packet is IP. The ports are 0 in a
	// fragment other than the first.
	Src, Dst netip.AddrPort
	// SYN, ACK, FIN and RST are the TCP flags.
	SYN, ACK, FIN, RST bool
}

const (
	protoTCP = 6
	protoUDP = 17
)

// A Classifier puts each packet of a pod on its leg. It remembers connections,
// so it must see the packets of all interfaces of the pod, in time order. It
// is for one goroutine.
//
// Where addresses and ports do not tell the leg, the first SYN does: who sent
// it opened the connection. For a connection that is older than the capture,
// Know or, without it, the pod's listening ports decide.
//
// A fragment without ports is on the leg that its addresses tell. Where they
// do not, it is on Direct, or on Self if it stays in the pod. TCP does not
// fragment; large answers of DNS do.
type Classifier struct {
	pod       *Pod
	own       []netip.Addr
	rules4    ports
	rules6    ports
	flows     *table
	admin     portSet // reachable from elsewhere
	ownAdmin  portSet // reachable from the pod
	listening portSet
	control   portSet

	opener Opener // of the packet
	now    int64  // time of the packet
	called int64  // when the app called the proxy, until that has called on

	// caller is where the app called the proxy from.
	caller netip.AddrPort
}

// ports are where the rules redirect packets of an IP version to.
type ports struct {
	outbound, inbound, dns uint16

	calls bool // the proxy connects to the app
}

// NewClassifier returns a classifier for a pod, which must not change any
// more.
func NewClassifier(p *Pod) *Classifier {
	c := &Classifier{pod: p, own: p.addrs(), flows: newTable(maxFlows)}
	c.rules4 = ports{p.Outbound, p.Inbound, p.DNS, p.calls()}
	if p.redirects6() {
		c.rules6 = c.rules4
	}
	c.admin.add(p.Admin...)
	c.ownAdmin.add(p.Admin...)
	c.ownAdmin.add(p.LocalAdmin...)
	c.listening.add(p.Admin...)
	c.listening.add(p.LocalAdmin...)
	c.listening.add(p.Listening...)
	c.control.add(p.Control...)
	return c
}

// Leg is the leg that a packet is on. It does not allocate.
func (c *Classifier) Leg(p *Packet) Leg {
	c.now, c.opener = p.Time, p.Opener
	switch {
	case p.Proto == 0:
		return Direct
	case p.Loopback:
		return c.loopback(p)
	default:
		return c.wire(p)
	}
}

// Forgotten is how many connections the classifier has had to forget to make
// room for others, closed ones included.
func (c *Classifier) Forgotten() uint64 { return c.flows.forgotten }

// rules are those for packets with an address.
func (c *Classifier) rules(a netip.Addr) ports {
	if a.Is4() {
		return c.rules4
	}
	return c.rules6
}

func (c *Classifier) isOwn(a netip.Addr) bool { return slices.Contains(c.own, a) }

// isLocal reports whether packets to an address stay in the pod.
func (c *Classifier) isLocal(a netip.Addr) bool { return isLoopback(a) || c.isOwn(a) }

// isEphemeral reports whether the pod took a local port for a connection that
// it opened. What it listens on was connected to, and so was what lies outside
// of the range.
func (c *Classifier) isEphemeral(port uint16) bool {
	if c.listening.has(port) {
		return false
	}
	last := c.pod.LastEphemeral
	return last == 0 || port >= c.pod.FirstEphemeral && port <= last
}
