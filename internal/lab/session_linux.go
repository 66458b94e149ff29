package lab

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A session is an open connection of a client.
type session struct {
	net.Conn
	tcp *net.TCPConn
	b   *bufio.Reader
	r   Request
	x   Exchange
}

// dialSession connects as a request says.
func (p part) dialSession(r Request, x *Exchange) (*session, error) {
	k := p.sockets
	k.report = func(s Socket) {
		x.Local, x.Remote = s.Local, s.Remote
		p.sockets.say(s)
	}
	to := r.To
	if r.Tunnel {
		to = netip.AddrPortFrom(to.Addr(), PortTunnel)
	}
	c, err := k.dial(target{use: p.use(), to: to, from: r.From})
	if err != nil {
		return nil, err
	}
	s := &session{Conn: c, tcp: c.(*net.TCPConn), r: r, x: *x}
	if err := c.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return nil, err
	}
	if r.MTLS || r.Tunnel {
		if s.Conn, err = p.secure(s.tcp, r); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	s.b = bufio.NewReader(s.Conn)
	return s, nil
}

// get asks once on the connection.
func (s *session) get(path string, last bool, x *Exchange) error {
	if err := s.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return err
	}
	r := s.r
	r.Path = path
	return get(s, s.b, r, last && !r.Abort, x)
}

// sessions are the connections that are open between commands.
type sessions struct {
	part part
	mu   sync.Mutex
	open map[int]*session
}

// obey does what a command wants.
func (o *sessions) obey(c command) Exchange {
	var (
		x   Exchange
		err error
	)
	switch c.Op {
	case opRequest:
		return o.part.request(c.Request)
	case opSync:
		return x
	case opOpen:
		err = o.start(c, &x)
	default:
		err = o.ask(c, &x)
	}
	if err != nil {
		x.Err = err.Error()
	}
	return x
}

// start opens a connection and asks once on it.
func (o *sessions) start(c command, x *Exchange) error {
	s, err := o.part.dialSession(c.Request, x)
	if err != nil {
		return err
	}
	if err := s.get(c.Path, false, x); err != nil {
		_ = s.Close()
		return err
	}
	s.x = *x
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[c.Session] = s
	return nil
}

// ask asks on an open connection, which may be the end of it.
func (o *sessions) ask(c command, x *Exchange) error {
	o.mu.Lock()
	s := o.open[c.Session]
	if c.Op == opHangUp {
		delete(o.open, c.Session)
	}
	o.mu.Unlock()
	if s == nil {
		return fmt.Errorf("no session %d", c.Session)
	}
	*x = s.x
	err := s.get(c.Path, c.Op == opHangUp, x)
	if c.Op == opHangUp {
		if s.r.Abort {
			_ = s.tcp.SetLinger(0)
		}
		_ = s.Close()
	}
	return err
}

// secure speaks as the sidecar or the ztunnel of a peer would.
func (p part) secure(c *net.TCPConn, r Request) (net.Conn, error) {
	if r.Tunnel {
		conf, err := p.tlsClient(alpnTunnel)
		if err != nil {
			return nil, err
		}
		return openTunnel(c, conf, r.To)
	}
	conf, err := p.tlsClient(alpnIstio)
	if err != nil {
		return nil, err
	}
	conf.ServerName = r.SNI
	if r.SNI == "" {
		conf.ServerName = sni(int(r.To.Port()), workloadApp)
	}
	t := tls.Client(c, conf)
	return t, t.Handshake()
}
