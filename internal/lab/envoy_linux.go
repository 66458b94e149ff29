package lab

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
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
	mesh           map[netip.AddrPort]endpoint
}

// openEnvoy opens the ports of a sidecar and serves them.
func openEnvoy(p part) error {
	e := &envoy{part: p, mesh: p.endpoints()}
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
		{port: PortAgent, use: UseAdmin, serve: probe},
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

// serveRaw hands each connection to fn and closes it afterwards.
func serveRaw(l net.Listener, fn func(c *net.TCPConn) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			t := c.(*net.TCPConn)
			_ = t.SetDeadline(time.Now().Add(connLife))
			// Envoy, too, tells the two ends of a connection no more
			// about a failure than that it is over.
			if errors.Is(fn(t), errAbort) {
				_ = t.SetLinger(0)
				_ = t.Close()
				return
			}
			linger(t)
		}()
	}
}

// linger closes a connection with a FIN. To close it with data unread, such
// as the request to an upstream that refused, would send a reset.
func linger(c *net.TCPConn) {
	defer c.Close()
	if c.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.Copy(io.Discard, c)
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
	known, ok := e.mesh[to]
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

// A duplex is a connection whose two directions end one at a time.
type duplex interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies both ways. The end of one direction is passed on as such; an
// error in one ends the other.
func join(a, b duplex) error {
	var (
		wg   sync.WaitGroup
		errs [2]error
	)
	for i, d := range [2][2]duplex{{a, b}, {b, a}} {
		wg.Go(func() { errs[i] = pipe(d[0], d[1]) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

func pipe(to, from duplex) error {
	_, err := io.Copy(to, from)
	if err != nil {
		hangUp(to)
		hangUp(from)
		return err
	}
	if err := to.CloseWrite(); err != nil {
		return err
	}
	// The end of a TLS stream is also the end of what goes over TCP.
	if t, ok := to.(*tls.Conn); ok {
		return t.NetConn().(*net.TCPConn).CloseWrite()
	}
	return nil
}

func hangUp(d duplex) {
	if c, ok := d.(io.Closer); ok {
		_ = c.Close()
	}
}

// recordHandshake is the first byte of every TLS connection.
const recordHandshake = 0x16

// peek waits for the first byte and leaves it in the socket, as Envoy's TLS
// inspector does.
func peek(c *net.TCPConn) (byte, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var (
		b     [1]byte
		n     int
		errno error
	)
	err = raw.Read(func(fd uintptr) bool {
		n, _, errno = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK)
		return errno != unix.EAGAIN && errno != unix.EINTR
	})
	if err = errors.Join(err, errno); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return b[0], nil
}
