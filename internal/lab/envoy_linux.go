package lab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

const (
	// dialTimeout bounds a connection to an upstream.
	dialTimeout = 5 * time.Second

	// lingerTimeout is how long a client has to notice the end.
	lingerTimeout = time.Second
)

// The addresses from which a sidecar connects to its application, see
// Istio's pilot/pkg/networking/core/listener_address.go.
var (
	inboundSource  = netip.AddrFrom4([4]byte{127, 0, 0, 6})
	inboundSource6 = netip.AddrFrom16([16]byte{15: 6})
)

// An envoy stands in for Envoy and the agent beside it.
type envoy struct {
	part
	server, client *tls.Config
	find           finder
}

// openEnvoy opens the ports of a sidecar and serves them.
func openEnvoy(p part) error {
	e := &envoy{part: p, find: p.finder()}
	var err error
	if e.server, err = p.Identity.server(alpnPeer, alpnIstio); err != nil {
		return err
	}
	if e.client, err = p.tlsClient(alpnIstio); err != nil {
		return err
	}
	ready := func(path string) response {
		return response{status: 200, body: Greeting("envoy of "+p.Name, path)}
	}
	probe := func(l net.Listener) { serveHTTP(l, ready) }
	agent := func(l net.Listener) { serveHTTP(l, e.agent) }
	for _, s := range []struct {
		port  int
		use   Use
		local bool
		serve func(net.Listener)
	}{
		{port: PortOutbound, use: UseOutbound, serve: func(l net.Listener) { serveRaw(l, e.outbound) }},
		{port: PortInbound, use: UseInbound, serve: func(l net.Listener) { serveRaw(l, e.inbound) }},
		{port: PortAdmin, use: UseAdmin, local: true, serve: probe},
		{port: PortDebug, use: UseAdmin, local: true, serve: probe},
		{port: PortAgent, use: UseAdmin, serve: agent},
		{port: PortHealth, use: UseAdmin, serve: probe},
		{port: PortPrometheus, use: UseAdmin, serve: probe},
	} {
		listeners, err := p.listen(s.port, s.local, p.Mode == Transparent && s.port == PortInbound)
		if err != nil {
			return err
		}
		for _, l := range listeners {
			go s.serve(reporter{l, s.use, p.sockets})
		}
	}
	for _, at := range p.Servers {
		if err := openDNS(p, at); err != nil {
			return err
		}
	}
	return nil
}

// agent is the agent beside Envoy. It probes the application for the kubelet,
// whose own probes would go through Envoy.
func (e *envoy) agent(path string) response {
	port, ok := strings.CutPrefix(path, pathProbe)
	if !ok {
		return response{status: 200, body: Greeting("agent of "+e.Name, path)}
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(os.Getenv("INSTANCE_IP"), port))
	if err != nil {
		return response{status: 400, body: err.Error() + "\n"}
	}
	up, err := e.dial(target{use: UseInbound, to: to, from: netip.AddrPortFrom(inboundSource, 0)})
	if err != nil {
		return response{status: 502, body: err.Error() + "\n"}
	}
	defer up.Close()
	var x Exchange
	if err := get(up, bufio.NewReader(up), Request{To: to, Path: "/healthz"}, true, &x); err != nil {
		return response{status: 502, body: err.Error() + "\n"}
	}
	return response{status: x.Status, body: x.Body}
}

// A finder tells what a proxy knows about an address.
type finder func(netip.AddrPort) (endpoint, bool)

// finder asks whoever was given, or looks into Mesh.
func (p part) finder() finder {
	if p.discover != nil {
		return p.discover
	}
	m := p.endpoints()
	return func(to netip.AddrPort) (endpoint, bool) {
		known, ok := m[to]
		return known, ok
	}
}

// endpoints is what a proxy knows, by address.
func (p part) endpoints() map[netip.AddrPort]endpoint {
	m := map[netip.AddrPort]endpoint{}
	for _, n := range p.Mesh {
		m[parseAddrPort(n.Service)] = n
	}
	return m
}

// listen opens a port on 127.0.0.1, or on all addresses, one socket a family
// as proxies do. One that gets connections for other addresses than the
// pod's has to be transparent.
func (p part) listen(port int, local, transparent bool) ([]net.Listener, error) {
	at := anywhere(family4, port)
	if local {
		at = netip.AddrPortFrom(family4.loopback.Addr(), uint16(port))
	}
	l4, err := p.sockets.listen(at, transparent)
	if err != nil {
		return nil, err
	}
	if local || !p.DualStack {
		return []net.Listener{l4}, nil
	}
	l6, err := p.sockets.listen(anywhere(family6, port), transparent)
	if err != nil {
		return nil, errors.Join(err, l4.Close())
	}
	return []net.Listener{l4, l6}, nil
}

// inbound ends mutual TLS, or takes plaintext as it is, and connects to the
// application that the client meant.
func (e *envoy) inbound(c *net.TCPConn) error {
	to, err := originalDst(c)
	if err != nil {
		return err
	}
	first, err := peek(c)
	if err != nil {
		return err
	}
	var down duplex = c
	if first == recordHandshake {
		t := tls.Server(c, e.server)
		if err := t.Handshake(); err != nil {
			return err
		}
		down = t
	}
	t := target{use: UseInbound, to: to, from: netip.AddrPortFrom(inboundSource, 0)}
	switch {
	case e.Localhost:
		t.to, t.from = netip.AddrPortFrom(family4.loopback.Addr(), to.Port()), netip.AddrPort{}
	case e.Mode == Transparent:
		t.from = netip.AddrPortFrom(addrPort(c.RemoteAddr()).Addr(), 0)
		t.foreign, t.mark = true, markProxy
	case to.Addr().Is6():
		t.from = netip.AddrPortFrom(inboundSource6, 0)
	}
	up, err := e.dial(t)
	if err != nil {
		return err
	}
	defer up.Close()
	return join(down, up)
}

// outbound connects to the endpoint of a service by mutual TLS, or passes
// through what the mesh does not know.
func (e *envoy) outbound(c *net.TCPConn) error {
	to, err := originalDst(c)
	if err != nil {
		return err
	}
	known, ok := e.find(to)
	if known.Abort {
		return errAbort
	}
	t := target{use: UseOutbound, to: to, timeout: known.Timeout}
	if !ok {
		up, err := e.dial(t)
		if err != nil {
			return err
		}
		defer up.Close()
		return join(c, up)
	}
	t.to = parseAddrPort(known.Pod)
	up, err := e.dial(t)
	if err != nil {
		return err
	}
	defer up.Close()
	if known.Plain {
		return join(c, up)
	}
	conf := e.client.Clone()
	conf.ServerName = known.SNI
	s := tls.Client(up, conf)
	if err := s.Handshake(); err != nil {
		return err
	}
	return join(c, s)
}

// errAbort makes serveRaw reset a connection.
var errAbort = errors.New("abort")

// dial connects to an upstream. The proxy's own listeners are no upstreams: a
// connection that was made to one directly has the listener as its original
// destination, and would loop.
func (p part) dial(t target) (*net.TCPConn, error) {
	if n := t.to.Port(); n == PortInbound || n == PortOutbound {
		return nil, fmt.Errorf("dial %s: it is the proxy's own port", t.to)
	}
	c, err := p.sockets.dial(t)
	if err != nil {
		return nil, err
	}
	up := c.(*net.TCPConn)
	return up, up.SetDeadline(time.Now().Add(connLife))
}
