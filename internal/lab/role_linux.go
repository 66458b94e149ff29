package lab

import (
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
