package istiofilter

import "net/netip"

// A Conn is a TCP connection of the pod that is older than the capture, as the
// kernel's connection tracking has it.
type Conn struct {
	// Src and Dst are the ends as the first packet had them when it was
	// made, and ReplySrc the sender of the answers: where the connection is
	// redirected, it is not Dst.
	Src, Dst, ReplySrc netip.AddrPort
	// Mark is the connection's.
	Mark uint32
	// Opener is who opened it, if the pod did.
	Opener Opener
}

// Know tells the classifier of connections, before the first packet.
func (c *Classifier) Know(conns []Conn) {
	for i := range conns {
		c.now, c.opener = 0, conns[i].Opener
		if k, leg, ok := c.known(&conns[i]); ok {
			c.flows.put(k, leg)
		}
	}
}

// known is the leg of a connection, where it takes the first packet to tell.
func (c *Classifier) known(k *Conn) (key flowKey, leg Leg, ok bool) {
	src, dst, rules := k.Src.Addr(), k.Dst.Addr(), c.rules(k.Dst.Addr())
	redirected := k.ReplySrc != k.Dst && isRedirectTarget(k.ReplySrc.Addr())
	switch port := k.ReplySrc.Port(); {
	case !c.isOwn(src) && !c.isOwn(dst):
		return key, 0, false
	case redirected && port == rules.dns:
		return end(ofResolver, k.Src), DNSApp, true
	case redirected && port == rules.outbound:
		return connection(onLoopback, k.Src, k.Dst), OutboundApp, true
	case redirected && port == rules.inbound:
		return connection(onLoopback, k.Src, k.Dst), SelfWire, true
	case c.isLocal(src) && c.isLocal(dst):
		return between(k.Src, k.Dst), InboundApp, c.isUpstream(k) && k.Dst.Port() != hbonePort
	case c.isOwn(dst) && c.isUpstream(k):
		return connection(onLoopback, k.Dst, k.Src), InboundApp, true
	case c.isOwn(src):
		return connection(onWire, k.Src, k.Dst), c.opened(true, "", k.Src, k.Dst), true
	default:
		return connection(onWire, k.Dst, k.Src), c.opened(false, "", k.Dst, k.Src), true
	}
}

// isUpstream reports whether a connection has the mark of those between proxy
// and app.
func (c *Classifier) isUpstream(k *Conn) bool {
	for _, m := range c.pod.UpstreamMarks {
		if c.pod.Transparent && k.Mark&m.Mask == m.Value {
			return true
		}
	}
	return false
}
