package istiofilter

import "net/netip"

// loopback tells the leg of a packet on lo. A redirected connection looks like
// two there: its packets go to a port of 127.0.0.1 or ::1, and its answers
// come from the address that had been asked for.
func (c *Classifier) loopback(p *Packet) Leg {
	src, dst := p.Src.Addr(), p.Dst.Addr()
	rules := c.rules(dst)
	switch {
	case p.Proto == protoTCP && rules.inbound != 0 && (isProxySource(src) || isProxySource(dst)):
		return InboundApp
	case isLoopback(dst) && !isLoopback(src):
		return c.redirected(p, rules)
	case c.isLocal(src) && c.isLocal(dst):
		return c.within(p, rules)
	case c.isOwn(dst):
		return c.answer(p, rules)
	case c.isOwn(src) && c.keepsClient(p, rules):
		return InboundApp
	default:
		return Direct
	}
}

func isProxySource(a netip.Addr) bool { return a == proxySource4 || a == proxySource6 }

// keepsClient reports whether connections of the proxy to the app look as if
// the client itself had made them.
func (c *Classifier) keepsClient(p *Packet, rules ports) bool {
	return c.pod.Transparent && rules.calls && p.Proto == protoTCP
}

// redirected tells the leg of a packet from elsewhere to 127.0.0.1 or ::1,
// where nothing gets without a rule, but for an app that insists on its pod's
// address as the source.
func (c *Classifier) redirected(p *Packet, rules ports) Leg {
	port, tcp := p.Dst.Port(), p.Proto == protoTCP
	switch {
	case port == 0 || !isRedirectTarget(p.Dst.Addr()):
	case tcp && port == rules.outbound:
		switch {
		case p.SYN:
			c.called, c.caller = c.now, p.Src
		case p.RST:
			c.hangUp(p.Src)
		}
		if p.SYN && rules.dns != 0 {
			c.flows.remove(end(ofResolver, p.Src))
		}
		return OutboundApp
	case tcp && port == rules.inbound:
		c.note(end(ofClient, p.Src), SelfWire, p.SYN)
		return SelfWire
	case tcp && port == rules.dns:
		c.note(end(ofResolver, p.Src), DNSApp, p.SYN)
		return DNSApp
	case p.Proto == protoUDP && port == rules.dns:
		return DNSApp
	}
	if c.isOwn(p.Src.Addr()) {
		return c.selfOrAdmin(p)
	}
	return Direct
}

// isRedirectTarget reports whether an address is one that REDIRECT gives to
// what the pod itself sends.
func isRedirectTarget(a netip.Addr) bool {
	return a == netip.IPv6Loopback() || a == netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// note remembers the leg of a new connection, or of one that is older than
// the capture.
func (c *Classifier) note(k flowKey, leg Leg, opens bool) {
	if !opens {
		if _, ok := c.flows.get(k); ok {
			return
		}
	}
	c.flows.put(k, leg)
}

// answer tells the leg of a packet from elsewhere to the pod's address: the
// other half of what is redirected.
func (c *Classifier) answer(p *Packet, rules ports) Leg {
	fromDNS := rules.dns != 0 && p.Src.Port() == dnsPort
	switch {
	case p.Proto == protoUDP && fromDNS:
		return DNSApp
	case p.Proto != protoTCP:
		return Direct
	case fromDNS:
		return c.dnsAnswer(p, rules)
	case c.keepsClient(p, rules):
		return c.answerOrClient(p, rules)
	case rules.outbound != 0:
		if p.FIN || p.RST {
			c.hangUp(p.Dst)
		}
		return OutboundApp
	default:
		return Direct
	}
}

// hangUp ends a call of the app that the proxy does not call on for any more:
// either has reset it, or the proxy has said all.
func (c *Classifier) hangUp(caller netip.AddrPort) {
	if caller == c.caller {
		c.called = 0
	}
}

// dnsAnswer tells the leg of an answer from port 53 by TCP: the rules may
// redirect to the DNS port only what is for the pod's own DNS servers.
func (c *Classifier) dnsAnswer(p *Packet, rules ports) Leg {
	if _, ok := c.flows.get(end(ofResolver, p.Dst)); ok || rules.outbound == 0 {
		return DNSApp
	}
	return OutboundApp
}

// answerOrClient tells an answer that the app waits for from a request that
// the proxy makes in the name of a client.
func (c *Classifier) answerOrClient(p *Packet, rules ports) Leg {
	key := connection(onLoopback, p.Dst, p.Src)
	if !p.SYN {
		if leg, ok := c.flows.get(key); ok {
			return leg
		}
	}
	leg := InboundApp
	if rules.outbound != 0 && (p.SYN && p.ACK || !p.SYN && c.isEphemeral(p.Dst.Port())) {
		leg = OutboundApp
	}
	c.flows.put(key, leg)
	return leg
}

// within tells the leg of a packet between two addresses of the pod: the
// proxy answers itself, or the app talks to itself or to the proxy.
func (c *Classifier) within(p *Packet, rules ports) Leg {
	switch {
	case p.Proto != protoTCP || !rules.calls || !c.isOwn(p.Src.Addr()) || !c.isOwn(p.Dst.Addr()):
	case p.Src.Port() == hbonePort || p.Dst.Port() == hbonePort:
		return SelfWire
	case c.pod.Transparent:
		return c.byOrigin(p)
	case c.answersProxy(p):
		return SelfWire
	}
	return c.selfOrAdmin(p)
}

// answersProxy reports whether a packet is the answer to one that was
// redirected to the proxy's inbound port. That one hides which port had been
// asked for, so the SYN-ACK, which follows at once, tells the connection. The
// app's own connections are natural, and may share a local port with one of
// the proxy.
func (c *Classifier) answersProxy(p *Packet) bool {
	if p.SYN && !p.ACK {
		c.flows.put(end(ofClient, p.Src), Self)
		return false
	}
	key := connection(onLoopback, p.Dst, p.Src)
	if !p.SYN {
		if leg, ok := c.flows.get(key); ok {
			return leg == SelfWire
		}
	}
	leg, ok := c.flows.get(end(ofClient, p.Dst))
	if p.SYN && ok {
		c.flows.put(key, leg)
	}
	return leg == SelfWire && ok
}

func (c *Classifier) selfOrAdmin(p *Packet) Leg {
	if p.Proto == protoTCP && (c.ownAdmin.has(p.Src.Port()) || c.ownAdmin.has(p.Dst.Port())) {
		return Admin
	}
	return Self
}
