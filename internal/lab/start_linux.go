package lab

import (
	"cmp"
	"context"
	"net/netip"
)

func (l *Lab) addressServices() {
	l.Outside = netip.AddrPortFrom(l.Client.Addr, OutsidePort)
	l.Service = netip.MustParseAddrPort("10.96.0.10:9080")
	l.OwnService = netip.MustParseAddrPort("10.96.0.11:9080")
	l.Faulty = netip.MustParseAddrPort("10.96.0.12:9080")
	l.Lost = netip.MustParseAddrPort("10.96.0.13:9080")
	if l.spec.dns != dnsNone {
		l.Resolver = netip.AddrPortFrom(family4.resolver, portQuery)
		if l.dualStack {
			l.Resolver6 = netip.AddrPortFrom(family6.resolver, portQuery)
		}
	}
	if l.dualStack {
		l.Outside6 = netip.AddrPortFrom(l.Client.Addr6, OutsidePort)
		l.Service6 = netip.MustParseAddrPort("[fd00:10:96::10]:9080")
		l.OwnService6 = netip.MustParseAddrPort("[fd00:10:96::11]:9080")
	}
}

// mesh is what every sidecar knows.
func (l *Lab) mesh() []endpoint {
	at := func(service netip.AddrPort, pod netip.Addr, workload string) endpoint {
		return endpoint{
			Service: service.String(),
			Pod:     netip.AddrPortFrom(pod, uint16(l.AppPort)).String(),
			SNI:     sni(ServicePort, workload),
			Plain:   l.Mode != Tunnel && !l.takesInbound(l.AppPort),
		}
	}
	m := []endpoint{
		at(l.Service, l.Server.Addr, workloadServer),
		at(l.OwnService, l.App.Addr, workloadApp),
		{Service: l.Faulty.String(), Abort: true},
		{Service: l.Lost.String(), Pod: netip.AddrPortFrom(nowhere, DefaultAppPort).String(), Timeout: cmp.Or(l.patience, lostTimeout)},
	}
	if l.dualStack {
		m = append(m,
			at(l.Service6, l.Server.Addr6, workloadServer),
			at(l.OwnService6, l.App.Addr6, workloadApp))
	}
	return m
}

// startAll starts the stand-ins, then waits for all of them.
func (l *Lab) startAll(ctx context.Context) error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	for i, p := range l.pods() {
		id, err := ca.issue(int64(i+2), p.Namespace, p.Name)
		if err != nil {
			return err
		}
		app := part{Kind: kindApp, Name: p.Name, UID: appUID, GID: appUID, Ports: []int{l.AppPort}}
		if p == l.Client {
			app.Kind, app.Identity = kindClient, id
			app.Ports = []int{OutsidePort, PortControl, DatabasePort}
		}
		if p.app, err = l.start(p, app, nil); err != nil {
			return err
		}
		p.AppPID = p.app.pid()
		if !p.meshed {
			continue
		}
		if err := l.startProxy(p, id); err != nil {
			return err
		}
	}
	if l.Gateway != nil {
		if err := l.startGateway(ca); err != nil {
			return err
		}
	}
	if l.Node != nil {
		var err error
		if l.Node.app, err = l.start(l.Node, l.nodePart(), nil); err != nil {
			return err
		}
		l.Node.AppPID = l.Node.app.pid()
	}
	for _, p := range l.processes {
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startProxy starts the proxy of a pod: inside of it, or on the node.
func (l *Lab) startProxy(p *Pod, id identity) (err error) {
	proxy := part{
		Kind:      kindEnvoy,
		Name:      p.Name,
		UID:       p.ProxyUID,
		GID:       p.ProxyGID,
		Mode:      l.Mode,
		DualStack: l.dualStack || l.spec.native && l.ipv6,
		Localhost: l.spec.localhost,
		Identity:  id,
		Mesh:      l.mesh(),
	}
	if l.spec.dns != dnsNone {
		proxy.Hosts, proxy.Resolver = l.hosts(), l.Resolver
		proxy.Servers = []netip.AddrPort{netip.AddrPortFrom(family4.loopback.Addr(), PortDNS)}
		if l.dualStack {
			proxy.Servers = append(proxy.Servers, netip.AddrPortFrom(family6.loopback.Addr(), PortDNS))
		}
	}
	home := p
	if l.Mode == Tunnel {
		proxy.Kind, proxy.Netns, home = kindTunnel, p.Netns, l.Node
		proxy.Bare = l.spec.bare
	}
	if p.proxy, err = l.start(home, proxy, proxyEnv(p, l.Mode)); err != nil {
		return err
	}
	p.ProxyPID = p.proxy.pid()
	return nil
}

func (l *Lab) start(p *Pod, c part, env []string) (*process, error) {
	c.KeyLog = l.keyLog != nil
	r, err := start(p.NS, c, env, l.log, l.keyLog)
	if err != nil {
		return nil, err
	}
	l.processes = append(l.processes, r)
	l.logf("%s: %s has pid %d, uid %d", p.Name, c.Kind, r.pid(), c.UID)
	return r, nil
}
