package lab

import (
	"fmt"
	"net/netip"
	"slices"
)

// Which legs a case has follows from what its rules say.

// secure makes a request come as from another pod of the mesh, or in
// plaintext to a port that the proxy has no part in.
func (l *Lab) secure(r Request) Request {
	r.Tunnel = l.Mode == Tunnel
	r.MTLS = !r.Tunnel && l.takesInbound(int(r.To.Port()))
	return r
}

// secureLegs are those of such a request.
func (l *Lab) secureLegs() []string {
	if l.Mode == Tunnel {
		return []string{LegHBONE, LegInboundApp}
	}
	return l.inLegs(l.AppPort)
}

// inLegs are those of a connection from outside to a port of the pod.
func (l *Lab) inLegs(port int) []string {
	if l.takesInbound(port) {
		return []string{LegInboundWire, LegInboundApp}
	}
	return []string{LegDirect}
}

func (l *Lab) takesInbound(port int) bool {
	s := l.spec
	switch {
	case s.mode == Tunnel:
		return !s.ingress && port != PortTunnel
	case len(s.includeIn) > 0:
		return slices.Contains(s.includeIn, port)
	case slices.Contains(healthPorts, port), slices.Contains(s.excludeIn, port):
		return false
	}
	return s.mode == Transparent || port != PortTunnel
}

// outLegs are those of a connection to an address that the mesh does not
// know.
func (l *Lab) outLegs(to netip.AddrPort) []string {
	if l.takesOutbound(to) {
		return []string{LegOutboundApp, LegOutboundWire}
	}
	return []string{LegDirect}
}

func (l *Lab) takesOutbound(to netip.AddrPort) bool {
	has := func(p netip.Prefix) bool { return p.Contains(to.Addr()) }
	if slices.Contains(l.spec.excludeOut, int(to.Port())) || slices.ContainsFunc(l.spec.excludeNets, has) {
		return false
	}
	return len(l.spec.includeNets) == 0 || slices.ContainsFunc(l.spec.includeNets, has)
}

// meshLegs are those of a connection to a service of the mesh.
func (l *Lab) meshLegs() []string {
	if l.Mode == Tunnel {
		return []string{LegOutboundApp, LegHBONE}
	}
	return []string{LegOutboundApp, LegOutboundWire}
}

// sparedHosts are single addresses that rules leave alone.
func (s ruleSpec) sparedHosts() []netip.Addr {
	var hosts []netip.Addr
	for _, p := range s.excludeNets {
		if p.IsSingleIP() {
			hosts = append(hosts, p.Addr())
		}
	}
	return hosts
}

// tunnelLegs are those of a connection to the port of HBONE that brings
// something else.
func (l *Lab) tunnelLegs() []string {
	if l.takesInbound(PortTunnel) {
		return []string{LegInboundWire, LegInboundApp}
	}
	return []string{LegHBONE}
}

// sni is how Istio names a service of namespace default inside the mesh.
func sni(port int, service string) string {
	return fmt.Sprintf("outbound_.%d_._.%s.default.svc.cluster.local", port, service)
}
