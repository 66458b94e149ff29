package istiofilter

import "net/netip"

// wire tells the leg of a packet on another interface than lo. There every
// connection has the addresses that the network knows it by.
func (c *Classifier) wire(p *Packet) Leg {
	local, remote := p.Dst, p.Src
	if p.Sent {
		local, remote = p.Src, p.Dst
	}
	switch {
	case !c.isOwn(local.Addr()):
		return Direct
	case p.Proto == protoUDP && remote.Port() == dnsPort:
		return DNSWire
	case p.Proto != protoTCP || local.Port() == 0:
		return Direct
	}
	key := connection(onWire, local, remote)
	if !p.SYN {
		if leg, ok := c.flows.get(key); ok {
			return leg
		}
	}
	leg := c.opened(c.openedHere(p, local), local, remote)
	c.flows.put(key, leg)
	return leg
}

// openedHere tells who opened a connection, by its SYN or the answer to it,
// or guesses if it is older than the capture.
func (c *Classifier) openedHere(p *Packet, local netip.AddrPort) bool {
	switch {
	case p.SYN && p.ACK:
		return !p.Sent
	case p.SYN:
		return p.Sent
	default:
		return c.isEphemeral(local.Port())
	}
}

// opened is the leg of a connection that the pod opened or that was opened to
// it.
func (c *Classifier) opened(here bool, local, remote netip.AddrPort) Leg {
	rules := c.rules(local.Addr())
	service := local.Port()
	if here {
		service = remote.Port()
	}
	switch {
	case service == hbonePort:
		return HBONE
	case here && service == dnsPort:
		return DNSWire
	case here && rules.outbound != 0:
		return OutboundWire
	case here:
		return Direct
	case rules.inbound != 0 && c.isCaptured(service):
		return InboundWire
	case c.admin.has(service):
		return Admin
	default:
		return Direct
	}
}

// isCaptured reports whether the rules redirect connections to a port.
func (c *Classifier) isCaptured(port uint16) bool {
	return !c.uncaptured.has(port) && (c.pod.Captured == nil || c.captured.has(port))
}
