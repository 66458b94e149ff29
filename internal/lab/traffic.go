package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// meshCases are the ways through the proxy and around it.
func (l *Lab) meshCases() []Case {
	app := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	local := netip.AddrPortFrom(family4.loopback.Addr(), uint16(l.AppPort))
	return []Case{
		{Name: "inbound-mtls", Legs: l.secureLegs(), do: ask(byClient, l.secure(Request{To: app, Path: casePath}))},
		{Name: "inbound-plain", Legs: l.inLegs(l.AppPort), do: getFrom(byClient, app)},
		{Name: "outbound-mesh", service: true, Legs: l.meshLegs(), do: getFrom(byApp, l.Service)},
		{Name: "outbound-passthrough", Legs: l.outLegs(l.Outside), do: getFrom(byApp, l.Outside)},
		{Name: "fetch", service: true, Legs: slices.Concat(l.secureLegs(), l.meshLegs()), do: ask(byClient, l.secure(Request{
			To: app, Path: fmt.Sprintf("/fetch?url=http://%s%s", l.Service, casePath),
		}))},
		{Name: "self-direct", Legs: []string{LegSelf}, do: getFrom(byApp, app)},
		l.selfService(l.OwnService),
		{Name: "localhost", Legs: []string{LegSelf}, do: getFrom(byApp, local)},
	}
}

// selfService is a call of the pod's own service. A proxy that the rules take
// for an application gets to its application past itself, with TLS.
func (l *Lab) selfService(to netip.AddrPort) Case {
	c := Case{Name: "self-service", service: true, Legs: []string{LegOutboundApp, LegSelfWire}, do: getFrom(byApp, to)}
	if l.Mode == Redirect && l.spec.root {
		c.Fail = true
		return c
	}
	c.Legs = append(c.Legs, LegInboundApp)
	return c
}

// adminCases are about the proxy's own ports.
func (l *Lab) adminCases() []Case {
	if l.Mode == Tunnel {
		kubelet := Request{To: netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort)), Path: casePath}
		kubelet.From = netip.AddrPortFrom(family4.kubelet, 0)
		return []Case{
			{Name: "kubelet", Legs: []string{LegDirect}, do: ask(byNode, kubelet)},
			// The ports have no meaning in ambient mode.
			{Name: "health", Legs: l.inLegs(PortHealth), Fail: true, do: getFrom(byClient, netip.AddrPortFrom(l.App.Addr, PortHealth))},
		}
	}
	var list []Case
	for _, c := range []struct {
		name string
		from func(l *Lab) *process
		at   netip.Addr
		port uint16
	}{
		{"health", byClient, l.App.Addr, PortHealth},
		{"metrics", byClient, l.App.Addr, PortPrometheus},
		{"agent", byClient, l.App.Addr, PortAgent},
		{"own-agent", byApp, l.App.Addr, PortAgent},
		{"proxy-agent", byProxy, family4.loopback.Addr(), PortAgent},
		{"admin", byApp, family4.loopback.Addr(), PortAdmin},
		{"debug", byApp, family4.loopback.Addr(), PortDebug},
	} {
		list = append(list, Case{Name: c.name, Legs: []string{LegAdmin}, do: getFrom(c.from, netip.AddrPortFrom(c.at, c.port))})
	}
	probe := Request{To: netip.AddrPortFrom(l.App.Addr, PortAgent), Path: pathProbe + strconv.Itoa(l.AppPort)}
	return append(list,
		Case{Name: "probe", Legs: []string{LegAdmin, LegInboundApp}, do: ask(byClient, probe)},
		l.adminOutside(),
		Case{Name: "control", Legs: []string{LegDirect}, do: getFrom(byProxy, netip.AddrPortFrom(l.Client.Addr, PortControl))})
}

// adminOutside is a call of Envoy's administration from outside, which only a
// proxy that calls by 127.0.0.1 lets in.
func (l *Lab) adminOutside() Case {
	c := Case{Name: "admin-outside", Legs: l.inLegs(PortAdmin), Fail: true}
	c.do = getFrom(byClient, netip.AddrPortFrom(l.App.Addr, PortAdmin))
	if l.spec.localhost {
		c.Legs, c.Fail = []string{LegInboundWire, LegAdmin}, false
	}
	return c
}

// otherCases are outbound connections that rules may leave alone.
func (l *Lab) otherCases() []Case {
	database := netip.AddrPortFrom(l.Client.Addr, DatabasePort)
	list := []Case{
		{Name: "database", Legs: l.outLegs(database), do: getFrom(byApp, database)},
		{Name: "udp", Legs: []string{LegDirect}, do: ask(byApp, Request{To: l.Outside, Path: casePath, Protocol: Echo})},
		{Name: "port-reuse", service: true, Legs: slices.Concat(l.meshLegs(), l.outLegs(l.Outside)), do: reusePort},
	}
	used := slices.Concat(l.inLegs(9), l.inLegs(l.AppPort))
	list = append(list, Case{Name: "port-used", Legs: used, do: usePortAgain})
	for _, a := range l.spec.sparedHosts() {
		to := netip.AddrPortFrom(a, portHTTP)
		list = append(list, Case{Name: "excluded-net", Legs: l.outLegs(to), do: getFrom(byApp, to)})
	}
	return list
}

// reusedPort is a port that has two connections, of the application or of the
// client.
const reusedPort = 45555

// reusePort has two connections from one port to two destinations at once.
func reusePort(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	var (
		open  []*Session
		done  []Exchange
		again = Request{Path: casePath, From: netip.AddrPortFrom(l.App.Addr, reusedPort)}
	)
	for _, to := range []netip.AddrPort{l.Service, l.Outside} {
		again.To = to
		s, err := l.Open(ctx, l.App, again)
		if err != nil {
			return done, err
		}
		open = append(open, s)
	}
	for _, s := range open {
		x, err := s.Close(ctx, casePath)
		if err != nil {
			return done, err
		}
		done = append(done, x)
	}
	return done, nil
}

// usePortAgain has two connections from one port of the client, one after the
// other. Conntrack remembers that the first was redirected to where the second
// is, and so another port is what the proxy sees of the second.
func usePortAgain(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	var done []Exchange
	for _, port := range []int{9, l.AppPort} {
		x, err := l.Do(ctx, l.Client, Request{
			To: netip.AddrPortFrom(l.App.Addr, uint16(port)), Path: casePath,
			From: netip.AddrPortFrom(l.Client.Addr, reusedPort),
		})
		if err != nil {
			return done, err
		}
		done = append(done, x)
	}
	return done, nil
}

// dnsCases ask for names that the proxy knows, and that it has to ask for.
func (l *Lab) dnsCases() []Case {
	if l.spec.dns == dnsNone {
		return nil
	}
	var list []Case
	for _, proto := range []Protocol{DNSOverUDP, DNSOverTCP} {
		name := map[Protocol]string{DNSOverUDP: "dns-udp", DNSOverTCP: "dns-tcp"}[proto]
		list = append(list,
			Case{Name: name, Legs: []string{LegDNSApp},
				do: ask(byApp, Request{To: l.Resolver, Path: hostService, Protocol: proto})},
			Case{Name: name + "-forward", Legs: []string{LegDNSApp, LegDNSWire},
				do: ask(byApp, Request{To: l.Resolver, Path: hostOutside, Protocol: proto})})
	}
	if l.Resolver6.IsValid() {
		list = append(list, Case{Name: "dns-udp-6", Legs: []string{LegDNSApp, LegDNSWire},
			do: ask(byApp, Request{To: l.Resolver6, Path: hostOutside, Protocol: DNSOverUDP})})
	}
	other := netip.AddrPortFrom(l.Node.Addr, portQuery)
	legs := []string{LegDNSWire}
	if l.spec.dns == dnsAll {
		legs = []string{LegDNSApp, LegDNSWire}
	}
	return append(list, Case{Name: "dns-other", Legs: legs,
		do: ask(byApp, Request{To: other, Path: hostOutside, Protocol: DNSOverUDP})})
}

// failures are connections that end badly, or never come to be.
func (l *Lab) failures() []Case {
	at := func(p *Pod, port int) netip.AddrPort { return netip.AddrPortFrom(p.Addr, uint16(port)) }
	app := at(l.App, l.AppPort)
	reset := Request{To: app, Path: pathReset}
	return []Case{
		{Name: "reset-app", Legs: l.inLegs(l.AppPort), Fail: true, do: ask(byClient, reset)},
		{Name: "reset-app-mtls", Legs: l.secureLegs(), Fail: true, do: ask(byClient, l.secure(reset))},
		{Name: "reset-proxy", service: true, Legs: []string{LegOutboundApp}, Fail: true, do: getFrom(byApp, l.Faulty)},
		{Name: "reset-peer", Legs: l.outLegs(l.Outside), Fail: true, do: ask(byApp, Request{To: l.Outside, Path: pathReset})},
		{Name: "reset-client", Legs: l.inLegs(l.AppPort), do: ask(byClient, Request{To: app, Path: casePath, Abort: true})},
		{Name: "refused-in", Legs: l.inLegs(9), Fail: true, do: getFrom(byClient, at(l.App, 9))},
		{Name: "refused-out", Legs: l.outLegs(at(l.Client, 9)), Fail: true, do: getFrom(byApp, at(l.Client, 9))},
		{Name: "blackhole", service: true, Legs: l.meshLegs(), Fail: true, do: getFrom(byApp, l.Lost)},
		{Name: "firewall", Legs: l.outLegs(at(l.Client, RejectPort)), Fail: true, do: getFrom(byApp, at(l.Client, RejectPort))},
		{Name: "prohibited", Legs: l.outLegs(at(l.Client, ProhibitedPort)), Fail: true, do: getFrom(byApp, at(l.Client, ProhibitedPort))},
		{Name: "udp-refused", Legs: []string{LegDirect}, Fail: true,
			do: ask(byApp, Request{To: at(l.Client, 9), Path: casePath, Protocol: Echo})},
		{Name: "loop", Legs: []string{LegInboundWire}, Fail: true,
			do: ask(byClient, Request{From: at(l.Client, loopPort), To: at(l.App, PortInbound), Path: casePath})},
		{Name: "tunnel-port", Legs: l.tunnelLegs(), Fail: true, do: getFrom(byClient, at(l.App, PortTunnel))},
	}
}

// loopPort is where the case "loop" comes from. Another connection to the same
// port of the proxy, redirected, may have had one of the kernel's choosing, and
// then the rules would translate it (see the case "port-used").
const loopPort = 9506

// pauseOlder is how long a connection is older than a capture at least.
const pauseOlder = 5 * time.Millisecond

// olderCases have connections that are older than the capture.
func (l *Lab) olderCases() []Case {
	app := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	return []Case{
		{Name: "older-inbound", Legs: l.secureLegs(), do: older((*Lab).client, l.secure(Request{To: app, Path: casePath}))},
		{Name: "older-outbound", service: true, Legs: l.meshLegs(), do: older((*Lab).app, Request{To: l.Service, Path: casePath})},
		{Name: "older-passthrough", Legs: l.outLegs(l.Outside), do: older((*Lab).app, Request{To: l.Outside, Path: casePath})},
		{Name: "older-self", Legs: []string{LegSelf}, do: older((*Lab).app, Request{To: app, Path: casePath})},
	}
}

func (l *Lab) client() *Pod { return l.Client }
func (l *Lab) app() *Pod    { return l.App }

// older opens a connection before begin and goes on with it afterwards.
func older(from func(*Lab) *Pod, r Request) traffic {
	return func(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error) {
		s, err := l.Open(ctx, from(l), r)
		if err != nil {
			return nil, err
		}
		time.Sleep(pauseOlder)
		if err := begin(); err != nil {
			return nil, err
		}
		x, err := s.Close(ctx, r.Path)
		return []Exchange{x}, err
	}
}

// cases6 are the ways of IPv6: through the proxy if the rules know it, and
// around it otherwise.
func (l *Lab) cases6() []Case {
	if !l.App.Addr6.IsValid() {
		return nil
	}
	app := netip.AddrPortFrom(l.App.Addr6, uint16(l.AppPort))
	outside := netip.AddrPortFrom(l.Client.Addr6, OutsidePort)
	self := Case{Name: "self-direct-6", Legs: []string{LegSelf}, do: getFrom(byApp, app)}
	switch {
	case l.dualStack:
		return append(l.dualCases(app), self)
	case l.spec.native:
		return append(l.nativeCases6(app, outside), self)
	}
	return []Case{
		{Name: "inbound-6", Legs: []string{LegDirect}, do: getFrom(byClient, app)},
		{Name: "outbound-6", Legs: []string{LegDirect}, do: getFrom(byApp, outside)},
		self,
	}
}

// nativeCases6 are what becomes of IPv6 under native rules for IPv4 alone.
// Tables of family inet redirect it all the same, to a proxy that has no ::6
// to call the application from. TPROXY is for IPv4 only.
func (l *Lab) nativeCases6(app, outside netip.AddrPort) []Case {
	in := Case{Name: "inbound-6", Legs: []string{LegInboundWire}, Fail: true, do: getFrom(byClient, app)}
	if l.Mode == Transparent {
		in.Legs, in.Fail = []string{LegDirect}, false
	}
	return []Case{in, {Name: "outbound-6", Legs: l.outLegs(outside), do: getFrom(byApp, outside)}}
}

// dualCases are those of rules for two stacks.
func (l *Lab) dualCases(app netip.AddrPort) []Case {
	self := l.selfService(l.OwnService6)
	self.Name += "-6"
	probe := Case{Name: "health-6", Legs: []string{LegAdmin}, do: getFrom(byClient, netip.AddrPortFrom(l.App.Addr6, PortHealth))}
	if l.Mode == Tunnel {
		kubelet := Request{To: app, Path: casePath, From: netip.AddrPortFrom(family6.kubelet, 0)}
		probe = Case{Name: "kubelet-6", Legs: []string{LegDirect}, do: ask(byNode, kubelet)}
	}
	return []Case{
		{Name: "inbound-mtls-6", Legs: l.secureLegs(), do: ask(byClient, l.secure(Request{To: app, Path: casePath}))},
		{Name: "inbound-plain-6", Legs: l.inLegs(l.AppPort), do: getFrom(byClient, app)},
		{Name: "outbound-mesh-6", Legs: l.meshLegs(), do: getFrom(byApp, l.Service6)},
		{Name: "outbound-passthrough-6", Legs: l.outLegs(l.Outside6), do: getFrom(byApp, l.Outside6)},
		self,
		probe,
	}
}
