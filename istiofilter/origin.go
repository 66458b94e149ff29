package istiofilter

import "net/netip"

// An Origin is what the mark of a packet on lo tells about who sent it. Marks
// are not in the packet, but a filter of the kernel can ask for them: capture
// on one socket for each origin.
type Origin uint8

const (
	// OriginUnknown is that of a packet whose mark nobody has asked for.
	OriginUnknown Origin = iota
	// OriginOther has none of the proxy's marks.
	OriginOther
	// OriginUpstream has one of UpstreamMarks.
	OriginUpstream
	// OriginSelf has one of SelfMarks.
	OriginSelf
)

// Origins are those to keep apart on an interface for the sake of legs; nil
// if it does not matter.
func (p *Pod) Origins(i Interface, legs Legs) []Origin {
	if !i.Loopback || !p.Transparent || len(p.UpstreamMarks) == 0 ||
		legs&Set(Self, SelfWire, InboundApp) == 0 {
		return nil
	}
	if len(p.SelfMarks) == 0 {
		return []Origin{OriginOther, OriginUpstream}
	}
	return []Origin{OriginOther, OriginUpstream, OriginSelf}
}

// Marks are those of an origin: a packet has one of the former and none of the
// latter.
func (p *Pod) Marks(o Origin) (marks, not []Mark) {
	switch o {
	case OriginOther:
		return nil, append(append(not, p.UpstreamMarks...), p.SelfMarks...)
	case OriginUpstream:
		return p.UpstreamMarks, nil
	case OriginSelf:
		return p.SelfMarks, p.UpstreamMarks
	}
	return nil, nil
}

// byOrigin tells the leg of a TCP packet between two addresses of the pod
// where the proxy keeps its client's address. Then the app that calls itself,
// the proxy that calls itself, and the proxy that passes the call on look the
// same. The first SYN has the mark of who opened the connection. What the
// kernel sends for a socket that is closed has none.
func (c *Classifier) byOrigin(p *Packet) Leg {
	key := between(p.Src, p.Dst)
	if p.SYN && !p.ACK {
		leg := c.madeBy(p)
		c.flows.put(key, leg)
		return leg
	}
	leg, known := c.flows.get(key)
	if known && leg != Self {
		return leg
	}
	if now := c.madeBy(p); now != Self {
		c.flows.put(key, now)
		return now
	}
	return Self
}

// madeBy is the leg of a connection by the mark of its first packet.
func (c *Classifier) madeBy(p *Packet) Leg {
	switch leg := c.selfOrAdmin(p); {
	case leg == Admin:
		return Admin
	case p.Origin == OriginUpstream:
		return InboundApp
	case p.Origin == OriginSelf:
		return SelfWire
	default:
		return Self
	}
}

// between is the key of a connection on lo, whoever opened it.
func between(a, b netip.AddrPort) flowKey {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return connection(inPod, a, b)
}
