package istiofilter

import (
	"net/netip"
	"slices"
)

// A Packet is what a Classifier needs to know of a packet.
type Packet struct {
	// Loopback is whether it was seen on the loopback interface.
	Loopback bool
	// Sent is whether this pod sent it. On lo it does not matter.
	Sent bool
	// Proto is the IP protocol, 0 for a packet that is not IP.
	Proto uint8
	// Src and Dst are valid if the packet is IP.
	Src, Dst netip.AddrPort
	// SYN and ACK are the TCP flags.
	SYN, ACK bool
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
// the pod's listening ports decide.
type Classifier struct {
	pod        *Pod
	own        []netip.Addr
	flows      *table
	admin      portSet
	listening  portSet
	uncaptured portSet
}

// NewClassifier returns a classifier for a pod, which must not change any
// more.
func NewClassifier(p *Pod) *Classifier {
	c := &Classifier{pod: p, own: p.addrs(), flows: newTable(maxFlows)}
	c.admin.add(p.Admin...)
	c.listening.add(p.Admin...)
	c.listening.add(p.Listening...)
	c.uncaptured.add(p.Uncaptured...)
	return c
}

// Leg is the leg that a packet is on. It does not allocate.
func (c *Classifier) Leg(p *Packet) Leg {
	switch {
	case p.Proto == 0:
		return Direct
	case p.Loopback:
		return c.loopback(p)
	case p.Proto == protoTCP:
		return c.wire(p)
	case p.Proto == protoUDP && (p.Src.Port() == dnsPort || p.Dst.Port() == dnsPort):
		return DNSWire
	default:
		return Direct
	}
}

// loopback tells the leg of a packet on lo.
func (c *Classifier) loopback(p *Packet) Leg {
	src, dst := p.Src.Addr(), p.Dst.Addr()
	switch {
	case p.Proto == protoTCP && (isProxySource(src) || isProxySource(dst)):
		return InboundApp
	case dst.IsLoopback() && !src.IsLoopback():
		return c.redirected(p)
	case src.IsLoopback() || dst.IsLoopback():
		return c.selfOrAdmin(p)
	case c.isOwn(src):
		return c.withinPod(p)
	case !c.isOwn(dst):
		return Direct
	case c.pod.DNS != 0 && p.Src.Port() == dnsPort:
		return DNSApp
	case p.Proto == protoTCP && c.pod.Outbound != 0:
		return OutboundApp
	default:
		return Direct
	}
}

// redirected tells the leg of the half of a connection that the rules turned
// to a port of 127.0.0.1 or ::1.
func (c *Classifier) redirected(p *Packet) Leg {
	switch port := p.Dst.Port(); {
	case port == 0:
		return Direct
	case port == c.pod.Outbound:
		return OutboundApp
	case port == c.pod.Inbound:
		c.flows.put(half(p.Src), SelfWire)
		return SelfWire
	case port == c.pod.DNS:
		return DNSApp
	default:
		return c.selfOrAdmin(p)
	}
}

// withinPod tells whether a packet between the pod's own addresses answers the
// proxy's call to itself, whose other half is redirected, or is the app's.
func (c *Classifier) withinPod(p *Packet) Leg {
	if p.Proto == protoTCP && c.isOwn(p.Dst.Addr()) {
		if p.SYN && !p.ACK {
			c.flows.remove(half(p.Src))
		} else if _, ok := c.flows.get(half(p.Dst)); ok {
			return SelfWire
		}
	}
	return c.selfOrAdmin(p)
}

func (c *Classifier) selfOrAdmin(p *Packet) Leg {
	if p.Proto == protoTCP && (c.admin.has(p.Src.Port()) || c.admin.has(p.Dst.Port())) {
		return Admin
	}
	return Self
}

// wire tells the leg of a TCP packet on another interface than lo.
func (c *Classifier) wire(p *Packet) Leg {
	local, remote := p.Dst, p.Src
	if p.Sent {
		local, remote = p.Src, p.Dst
	}
	if !c.isOwn(local.Addr()) || local.Port() == 0 {
		return Direct
	}
	key := pair(local, remote)
	if p.SYN && !p.ACK {
		leg := c.opened(p.Sent, local, remote)
		c.flows.put(key, leg)
		return leg
	}
	if leg, ok := c.flows.get(key); ok {
		return leg
	}
	leg := c.opened(c.openedHere(p, local), local, remote)
	c.flows.put(key, leg)
	return leg
}

// openedHere guesses who opened a connection whose SYN was not seen. A SYN-ACK
// answers the opener; else a port that the pod listens on was connected to,
// and so was one outside of the ephemeral range.
func (c *Classifier) openedHere(p *Packet, local netip.AddrPort) bool {
	if p.SYN {
		return !p.Sent
	}
	port := local.Port()
	return !c.listening.has(port) && port >= c.pod.FirstEphemeral && port <= c.pod.LastEphemeral
}

// opened is the leg of a connection that the pod opened or that was opened to
// it.
func (c *Classifier) opened(here bool, local, remote netip.AddrPort) Leg {
	service := local.Port()
	if here {
		service = remote.Port()
	}
	switch {
	case service == hbonePort:
		return HBONE
	case here && service == dnsPort:
		return DNSWire
	case here && c.pod.Outbound != 0:
		return OutboundWire
	case here:
		return Direct
	case c.admin.has(service):
		return Admin
	case c.pod.Inbound == 0 || c.uncaptured.has(service):
		return Direct
	default:
		return InboundWire
	}
}

func (c *Classifier) isOwn(a netip.Addr) bool { return slices.Contains(c.own, a) }

func isProxySource(a netip.Addr) bool { return a == proxySource4 || a == proxySource6 }
