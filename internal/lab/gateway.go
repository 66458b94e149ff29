package lab

import "net/netip"

// GatewayCases lists what the gateway can do; there are none without one.
func (l *Lab) GatewayCases() []Case {
	if l.Gateway == nil {
		return nil
	}
	var (
		outsider = func(l *Lab) *process { return l.Outsider.app }
		gateway  = func(l *Lab) *process { return l.Gateway.proxy }
		to       = func(port int) netip.AddrPort { return netip.AddrPortFrom(l.Gateway.Addr, uint16(port)) }
		secure   = func(port int, sni string) Request {
			return Request{To: to(port), Path: casePath, MTLS: true, SNI: sni}
		}
		both    = func() []string { return []string{LegDownstream, LegUpstream} }
		control = netip.AddrPortFrom(l.Client.Addr, PortControl)
	)
	list := []Case{
		{Name: "gateway-http", Legs: both(), do: getFrom(outsider, to(GatewayPort))},
		{Name: "gateway-https", Legs: both(), do: ask(outsider, secure(GatewayTLSPort, "www.example.com"))},
		{Name: "gateway-plain", Legs: both(), do: getFrom(outsider, to(GatewayPlainPort))},
		{Name: "gateway-sni", Legs: both(), do: ask(outsider, secure(GatewaySNIPort, sni(ServicePort, workloadServer)))},
		{Name: "gateway-health", Legs: []string{LegAdmin}, do: getFrom(outsider, to(PortHealth))},
		{Name: "gateway-control", Legs: []string{LegDirect}, do: getFrom(gateway, control)},
		{Name: "gateway-reset", Legs: both(), Fail: true, do: ask(outsider, Request{To: to(GatewayPlainPort), Path: pathReset})},
		{Name: "gateway-refused", Legs: []string{LegDirect}, Fail: true, do: getFrom(outsider, to(9))},
		// A client inside the pod network, where its address says nothing.
		{Name: "gateway-inside", Legs: both(), do: getFrom(byClient, to(GatewayPort))},
		{Name: "gateway-older", Legs: both(), do: older((*Lab).outsider, Request{To: to(GatewayPort), Path: casePath})},
	}
	if l.Gateway.Addr6.IsValid() {
		to6 := netip.AddrPortFrom(l.Gateway.Addr6, GatewayPort)
		list = append(list, Case{Name: "gateway-http-6", Legs: both(), do: getFrom(outsider, to6)})
	}
	return at(l.Gateway, list)
}

func (l *Lab) outsider() *Pod { return l.Outsider }
