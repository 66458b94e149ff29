package lab

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"

	"icap/nsswitch"
)

// A ztunnel stands in for ztunnel. Its process is on the node, its sockets
// are in the pod, all with a mark by which the rules know them.
type ztunnel struct {
	part
	server, client *tls.Config
	mesh           map[netip.AddrPort]endpoint
}

// openZtunnel opens the ports of ambient mode in a pod and serves them.
func openZtunnel(p part) error {
	ns, err := nsswitch.OpenName(p.Netns)
	if err != nil {
		return err
	}
	p.sockets.ns, p.sockets.mark, p.sockets.bare = ns, markZtunnel, p.Bare
	z := &ztunnel{part: p, mesh: p.endpoints()}
	if z.server, err = p.Identity.server(alpnTunnel); err != nil {
		return err
	}
	if z.client, err = p.tlsClient(alpnTunnel); err != nil {
		return err
	}
	for _, s := range []struct {
		port  int
		use   Use
		serve func(*net.TCPConn) error
	}{
		{PortOutbound, UseOutbound, z.outbound},
		{PortInbound, UseInbound, z.inbound},
		{PortTunnel, UseTunnel, z.tunneled},
	} {
		listeners, err := p.listen(s.port, false, true)
		if err != nil {
			return err
		}
		for _, l := range listeners {
			go serveRaw(reporter{l, s.use, p.sockets}, s.serve)
		}
	}
	for _, at := range p.Servers {
		if err := openDNS(p, at); err != nil {
			return err
		}
	}
	return nil
}

// outbound sends what is in the mesh through a tunnel, and passes through
// what is not.
func (z *ztunnel) outbound(c *net.TCPConn) error {
	to, err := originalDst(c)
	if err != nil {
		return err
	}
	known, ok := z.mesh[to]
	if known.Abort {
		return errAbort
	}
	if !ok {
		up, err := z.dial(target{use: UseOutbound, to: to})
		if err != nil {
			return err
		}
		defer up.Close()
		return join(c, up)
	}
	pod := parseAddrPort(known.Pod)
	up, err := z.dial(target{
		use: UseTunnel, timeout: known.Timeout,
		to: netip.AddrPortFrom(pod.Addr(), PortTunnel),
	})
	if err != nil {
		return err
	}
	t, err := openTunnel(up, z.client, pod)
	if err != nil {
		return err
	}
	defer t.Close()
	return join(c, t)
}

// openTunnel begins mutual TLS and HBONE on a connection.
func openTunnel(c *net.TCPConn, conf *tls.Config, to netip.AddrPort) (*tunnel, error) {
	s := tls.Client(c, conf)
	if err := s.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	t, err := connectTunnel(s, to)
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("tunnel by %s: %w", c.RemoteAddr(), err)
	}
	return t, nil
}

// tunneled is the end of a tunnel.
func (z *ztunnel) tunneled(c *net.TCPConn) error {
	s := tls.Server(c, z.server)
	if err := s.Handshake(); err != nil {
		return err
	}
	t, to, err := acceptTunnel(s)
	if err != nil {
		return err
	}
	defer t.Close()
	up, err := z.reach(c, to)
	if err != nil {
		_ = t.reply("503", true)
		return err
	}
	defer up.Close()
	if err := t.reply("200", false); err != nil {
		return err
	}
	return join(t, up)
}

// inbound passes plaintext to the application.
func (z *ztunnel) inbound(c *net.TCPConn) error {
	to, err := originalDst(c)
	if err != nil {
		return err
	}
	up, err := z.reach(c, to)
	if err != nil {
		return err
	}
	defer up.Close()
	return join(c, up)
}

// reach connects to the application with the client's address.
func (z *ztunnel) reach(c *net.TCPConn, to netip.AddrPort) (*net.TCPConn, error) {
	from := netip.AddrPortFrom(addrPort(c.RemoteAddr()).Addr(), 0)
	return z.dial(target{use: UseInbound, to: to, from: from, foreign: true})
}
