package lab

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// The network outside of the cluster, behind the node's uplink.
const (
	uplink       = "eth0"
	outsiderHost = 10
	gatewayHost  = 13
)

func outerAddr(host byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, host}) }

func outerAddr6(host byte) netip.Addr {
	a := netip.MustParseAddr("2001:db8::").As16()
	a[15] = host
	return netip.AddrFrom16(a)
}

// outerPrefixes are the addresses of an interface in that network.
func (l *Lab) outerPrefixes(host byte) []netip.Prefix {
	prefixes := []netip.Prefix{netip.PrefixFrom(outerAddr(host), 24)}
	if l.ipv6 {
		prefixes = append(prefixes, netip.PrefixFrom(outerAddr6(host), 64))
	}
	return prefixes
}

// buildGateway plugs a gateway into the node as any other pod, or puts it into
// the node's own network, and puts a client at the far end of the node's uplink.
func (l *Lab) buildGateway(onNode bool) error {
	if l.Node == nil {
		l.exposeNode()
	}
	l.Gateway = &Pod{Name: workloadGateway, ProxyUID: proxyID, ProxyGID: proxyID}
	if onNode {
		g, n := l.Gateway, l.Node
		g.Namespace, g.NS, g.Netns, g.Addr, g.Addr6 = namespaceDefault, n.NS, n.Netns, n.Addr, n.Addr6
		if err := track(l.node); err != nil {
			return err
		}
	} else if err := l.buildPod(l.Gateway, gatewayHost); err != nil {
		return err
	}
	p := &Pod{Name: workloadOutsider, Addr: outerAddr(outsiderHost)}
	var err error
	if p.NS, p.Netns, err = l.namespace(p.Name); err != nil {
		return err
	}
	l.Outsider = p
	if err := veth(p.NS, "eth0", l.node, uplink); err != nil {
		return err
	}
	if err := addAddr(l.node, uplink, l.outerPrefixes(nodeHost)); err != nil {
		return err
	}
	if err := addAddr(p.NS, "eth0", l.outerPrefixes(outsiderHost)); err != nil {
		return err
	}
	if err := addDefault(p.NS, "eth0", outerAddr(nodeHost)); err != nil {
		return err
	}
	if l.ipv6 {
		p.Addr6 = outerAddr6(outsiderHost)
		if err := addDefault(p.NS, "eth0", outerAddr6(nodeHost)); err != nil {
			return err
		}
	}
	return forward(l.node, l.ipv6)
}

// track has the kernel keep track of a namespace's connections, by a rule that
// asks for their state.
func track(ns *nsswitch.NS) error {
	return ns.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return fmt.Errorf("open nftables in %s: %w", ns, err)
		}
		t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "track"})
		for _, hook := range []*nftables.ChainHook{nftables.ChainHookInput, nftables.ChainHookOutput} {
			chain := c.AddChain(&nftables.Chain{
				Table: t, Name: fmt.Sprintf("hook%d", *hook), Type: nftables.ChainTypeFilter,
				Hooknum: hook, Priority: nftables.ChainPriorityFilter,
			})
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{
				&expr.Ct{Key: expr.CtKeySTATE, Register: 1}, &expr.Counter{},
			}})
		}
		if err := c.Flush(); err != nil {
			return fmt.Errorf("write rules in %s: %w", ns, err)
		}
		return nil
	})
}

// forward makes a router, and has it drop what is for nowhere.
func forward(ns *nsswitch.NS, ipv6 bool) error {
	err := within(ns, func(h *netlink.Handle) error {
		return h.RouteAdd(&netlink.Route{Dst: ipNet(netip.PrefixFrom(nowhere, 32)), Type: unix.RTN_BLACKHOLE})
	})
	if err != nil {
		return fmt.Errorf("add route to nowhere in %s: %w", ns, err)
	}
	return ns.Do(func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil || !ipv6 {
			return err
		}
		return os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0)
	})
}

// startGateway starts the gateway's proxy and its client.
func (l *Lab) startGateway(ca *authority) error {
	for i, p := range []*Pod{l.Gateway, l.Outsider} {
		id, err := ca.issue(int64(i+10), namespaceDefault, p.Name)
		if err != nil {
			return err
		}
		c := part{Kind: kindClient, Name: p.Name, UID: appUID, GID: appUID, Identity: id}
		if p == l.Gateway {
			c.Kind, c.UID, c.GID, c.Mesh = kindGateway, p.ProxyUID, p.ProxyGID, l.mesh()
			c.DualStack = l.ipv6
			c.Routes = map[int]netip.AddrPort{
				GatewayPort:      l.Service,
				GatewayTLSPort:   l.Service,
				GatewayPlainPort: l.Outside,
				GatewaySNIPort:   netip.AddrPortFrom(l.Server.Addr, uint16(l.AppPort)),
			}
		}
		r, err := l.start(p, c, nil)
		if err != nil {
			return err
		}
		if p == l.Gateway {
			p.proxy, p.ProxyPID = r, r.pid()
			continue
		}
		p.app, p.AppPID = r, r.pid()
	}
	return nil
}

// A gateway stands in for Envoy without a pod of its own to protect. Each of
// its ports leads to one upstream.
type gateway struct {
	envoy
}

// openGateway opens the ports of a gateway and serves them.
func openGateway(p part) error {
	g := &gateway{envoy{part: p, find: p.finder()}}
	var err error
	if g.server, err = p.Identity.server(); err != nil {
		return err
	}
	g.server.ClientAuth = tls.NoClientCert
	if g.client, err = p.tlsClient(alpnIstio); err != nil {
		return err
	}
	for port, to := range p.Routes {
		listeners, err := p.listen(port, false, false)
		if err != nil {
			return err
		}
		for _, l := range listeners {
			go serveRaw(reporter{l, UseGateway, p.sockets}, func(c *net.TCPConn) error {
				return g.route(c, to, port == GatewayTLSPort)
			})
		}
	}
	ready := func(path string) response {
		return response{status: 200, body: Greeting("envoy of "+p.Name, path)}
	}
	for _, port := range []int{PortHealth, PortPrometheus} {
		listeners, err := p.listen(port, false, false)
		if err != nil {
			return err
		}
		for _, l := range listeners {
			go serveHTTP(reporter{l, UseAdmin, p.sockets}, ready)
		}
	}
	return nil
}

// route connects to an upstream: by mutual TLS if it is a service of the
// mesh, and otherwise with what the client says.
func (g *gateway) route(c *net.TCPConn, to netip.AddrPort, secure bool) error {
	var down duplex = c
	if secure {
		t := tls.Server(c, g.server)
		if err := t.Handshake(); err != nil {
			return err
		}
		down = t
	}
	known, ok := g.find(to)
	t := target{use: UseGateway, to: to}
	if ok {
		t.to = parseAddrPort(known.Pod)
	}
	up, err := g.dial(t)
	if err != nil {
		return err
	}
	defer up.Close()
	if !ok || known.Plain {
		return join(down, up)
	}
	conf := g.client.Clone()
	conf.ServerName = known.SNI
	s := tls.Client(up, conf)
	if err := s.Handshake(); err != nil {
		return err
	}
	return join(down, s)
}
