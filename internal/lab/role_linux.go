package lab

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// runRole is main of a stand-in. A stand-in has nothing to clean up, so it
// ends the moment it loses its owner, whatever it is doing.
func runRole() {
	kind := os.Getenv(roleEnv)
	if kind == "" {
		return
	}
	if err := playPart(kind, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", kind, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playPart reads the part, opens the listeners, and obeys commands until
// there are no more.
func playPart(kind string, in io.Reader, out io.Writer) error {
	// A process that was started as /proc/self/exe is called "exe" until it
	// says otherwise. Without a name it is still a good stand-in.
	_ = os.WriteFile("/proc/self/comm", []byte(kind), 0)

	commands, replies := json.NewDecoder(in), &replyWriter{e: json.NewEncoder(out)}
	p := part{secrets: replies}
	p.sockets.report = func(s Socket) { _ = replies.send(reply{Socket: &s}) }
	if err := commands.Decode(&p); err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	if err := becomeUser(p.UID, p.GID); err != nil {
		return replies.send(reply{Err: err.Error()})
	}
	if err := p.open(); err != nil {
		return replies.send(reply{Err: err.Error()})
	}
	if err := replies.send(reply{}); err != nil {
		return err
	}
	open := &sessions{part: p, open: map[int]*session{}}
	for {
		var c command
		if err := commands.Decode(&c); err != nil {
			return nil
		}
		go func() {
			x := open.obey(c)
			_ = replies.send(reply{ID: c.ID, Exchange: &x})
		}()
	}
}

// becomeUser gives up root, on all threads and for good. A user that is root
// stays so, with another group.
func becomeUser(uid, gid int) error {
	if err := syscall.Setgroups(nil); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	return os.NewSyscallError("setuid", syscall.Setuid(uid))
}

// A replyWriter writes replies, and as an io.Writer the lines of a key log.
type replyWriter struct {
	mu sync.Mutex
	e  *json.Encoder
}

func (w *replyWriter) send(r reply) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.e.Encode(r)
}

func (w *replyWriter) Write(line []byte) (int, error) {
	return len(line), w.send(reply{KeyLog: string(line)})
}

// open opens the part's listeners and serves them.
func (p part) open() error {
	switch p.Kind {
	case kindEnvoy:
		return openEnvoy(p)
	case kindTunnel:
		return openZtunnel(p)
	case kindGateway:
		return openGateway(p)
	case kindApp, kindClient, kindNode:
		for _, port := range p.Ports {
			if err := p.serveApp(port); err != nil {
				return err
			}
		}
		for _, at := range p.Servers {
			if err := openDNS(p, at); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("unknown part %q", p.Kind)
}

// serveApp opens a port of an application, one socket for both families.
// Outside of the pods in the mesh, it echoes datagrams as well.
func (p part) serveApp(port int) error {
	at := fmt.Sprintf(":%d", port)
	l, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	go serveHTTP(reporter{l, UseApp, p.sockets}, p.answer)
	if p.Kind == kindApp {
		return nil
	}
	u, err := net.ListenPacket("udp", at)
	if err != nil {
		return err
	}
	go p.echo(u.(*net.UDPConn))
	return nil
}

// request connects, asks as often as it should, and hangs up.
func (p part) request(r Request) Exchange {
	var x Exchange
	if err := p.exchange(r, &x); err != nil {
		x.Err = err.Error()
	}
	return x
}

func (p part) exchange(r Request, x *Exchange) error {
	if r.Protocol != HTTP {
		return p.datagram(r, x)
	}
	s, err := p.dialSession(r, x)
	if err != nil {
		return err
	}
	defer s.Close()
	for n := max(r.Count, 1); ; n-- {
		err := s.get(r.Path, n == 1, x)
		if err == nil && n == 1 && r.Abort {
			return s.tcp.SetLinger(0)
		}
		if err != nil || n == 1 {
			return err
		}
		time.Sleep(r.Pause)
	}
}

// use is what the part has its connections for.
func (p part) use() Use {
	switch p.Kind {
	case kindEnvoy, kindGateway:
		return UseControl
	}
	return UseApp
}

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
	var k socketer = p.sockets
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

// tlsClient is the identity's configuration as a client. The secrets of all
// TLS in a lab pass a client, so servers need not report theirs.
func (p part) tlsClient(protocols ...string) (*tls.Config, error) {
	conf, err := p.Identity.client(protocols...)
	if err == nil && p.KeyLog {
		conf.KeyLogWriter = p.secrets
	}
	return conf, err
}

// anywhere is a port on all addresses of a family.
func anywhere(f family, port int) netip.AddrPort { return netip.AddrPortFrom(f.any, uint16(port)) }
