package istiofilter

import "net/netip"

// wire tells the leg of a packet on another interface than lo. There every
// connection has the addresses that the network knows it by.
func (c *Classifier) wire(p *Packet) Leg {
	sent := c.sends(p)
	local, remote := p.Dst, p.Src
	if sent {
		local, remote = p.Src, p.Dst
	}
	switch {
	case c.pod.Gateway && len(c.own) == 0:
		return c.byNetwork(p)
	case !c.isOwn(local.Addr()):
		return Direct
	case p.Proto == protoUDP && remote.Port() == dnsPort:
		return DNSWire
	case p.Proto != protoTCP || local.Port() == 0:
		return Direct
	}
	key := connection(onWire, local, remote)
	if !p.SYN || p.ACK {
		if leg, ok := c.flows.get(key); ok {
			return leg
		}
	}
	leg := c.opened(c.openedHere(p, sent, local, remote), p.Link, local, remote)
	c.flows.put(key, leg)
	return leg
}

// sends reports whether the pod sent a packet. A bridge or an uplink of the
// node sees what a gateway sends as it comes in.
func (c *Classifier) sends(p *Packet) bool {
	if c.pod.Gateway && c.isOwn(p.Src.Addr()) != c.isOwn(p.Dst.Addr()) {
		return c.isOwn(p.Src.Addr())
	}
	return p.Sent
}

// openedHere tells who opened a connection, by its SYN or the answer to it,
// or guesses if it is older than the capture.
func (c *Classifier) openedHere(p *Packet, sent bool, local, remote netip.AddrPort) bool {
	switch {
	case p.SYN && p.ACK:
		return !sent
	case p.SYN:
		return sent
	case c.pod.Gateway && len(c.pod.Listening) == 0:
		return inAny(c.pod.Cluster, remote.Addr())
	default:
		return c.isEphemeral(local.Port())
	}
}

// opened is the leg of a connection that the pod opened or that was opened to
// it, through an interface.
func (c *Classifier) opened(here bool, link string, local, remote netip.AddrPort) Leg {
	switch {
	case c.pod.Gateway:
		return c.forwarded(here, local, remote)
	case here:
		return c.openedByPod(link, local, remote)
	}
	to := connector{link, local.Addr(), remote.Addr(), local.Port()}
	switch rules := c.rules(local.Addr()); {
	case rules.inbound != 0 && (local.Port() == rules.inbound || fateOf(c.pod.InboundRules, to) == redirected):
		return InboundWire
	case local.Port() == hbonePort:
		return HBONE
	case c.admin.has(local.Port()):
		return Admin
	default:
		return Direct
	}
}

// openedByPod is the leg of a connection that the pod opened. Those that the
// rules spare are the app's own, and those to the control plane are not made
// for the app, unless it is known that the proxy has made them rather than its
// agent.
//
// The rules spare the proxy as well, and its peers may have addresses that the
// app would reach past it. Where it is not known who has opened such a
// connection, the first one after the app has called the proxy is taken for the
// proxy's.
func (c *Classifier) openedByPod(link string, local, remote netip.AddrPort) Leg {
	switch {
	case remote.Port() == hbonePort:
		return HBONE
	case remote.Port() == dnsPort:
		return DNSWire
	case c.rules(local.Addr()).outbound == 0 || c.opener == OpenerAgent:
		return Direct
	case c.control.has(remote.Port()) && c.opener != OpenerProxy:
		return Direct
	}
	fate := fateOf(c.pod.OutboundRules, connector{link, local.Addr(), remote.Addr(), remote.Port()})
	asked := c.called != 0 && c.now-c.called < justNow
	switch {
	case fate == redirected || c.opener == OpenerProxy:
	case fate == sparedByPort || c.opener == OpenerApp || !asked:
		return Direct
	}
	c.called = 0
	return OutboundWire
}

// justNow is how long a proxy may take to connect for the app, in nanoseconds.
const justNow = 20e6

// forwarded is the leg of a connection that a gateway opened or that was
// opened to it.
func (c *Classifier) forwarded(here bool, local, remote netip.AddrPort) Leg {
	switch {
	case here && remote.Port() == dnsPort:
		return DNSWire
	case here && c.control.has(remote.Port()):
		return Direct
	case here && c.pod.Shared && !c.opensUpstream(remote):
		return Direct
	case here:
		return GatewayUpstream
	case c.admin.has(local.Port()):
		return Admin
	case c.pod.Shared && !c.listening.has(local.Port()):
		return Direct
	default:
		return GatewayDownstream
	}
}

// opensUpstream reports whether a connection that has the gateway's address is
// its own. Where nobody knows, one into the cluster is taken for its own.
func (c *Classifier) opensUpstream(remote netip.AddrPort) bool {
	if c.opener == OpenerUnknown {
		return inAny(c.pod.Cluster, remote.Addr())
	}
	return c.opener == OpenerProxy
}

// byNetwork is the leg of a packet of a gateway whose addresses are not known:
// within the cluster it is upstream.
func (c *Classifier) byNetwork(p *Packet) Leg {
	src, dst := p.Src.Port(), p.Dst.Port()
	switch {
	case p.Proto != protoTCP || c.control.has(src) || c.control.has(dst):
		return Direct
	case c.admin.has(src) || c.admin.has(dst):
		return Admin
	case inAny(c.pod.Cluster, p.Src.Addr()) && inAny(c.pod.Cluster, p.Dst.Addr()):
		return GatewayUpstream
	default:
		return GatewayDownstream
	}
}
