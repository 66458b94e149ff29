package lab

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
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
	if err := commands.Decode(&p); err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	if err := becomeUser(p.ID); err != nil {
		return replies.send(reply{Err: err.Error()})
	}
	if err := p.open(); err != nil {
		return replies.send(reply{Err: err.Error()})
	}
	if err := replies.send(reply{}); err != nil {
		return err
	}
	for {
		var c command
		if err := commands.Decode(&c); err != nil {
			return nil
		}
		go func() {
			x := p.request(c.Request)
			_ = replies.send(reply{ID: c.ID, Exchange: &x})
		}()
	}
}

// becomeUser gives up root, on all threads and for good.
func becomeUser(id int) error {
	if err := syscall.Setgroups(nil); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setgid(id); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	return os.NewSyscallError("setuid", syscall.Setuid(id))
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
	case kindApp, kindClient:
		l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(p.Port)))
		if err != nil {
			return err
		}
		go serveHTTP(l, p.answer)
		return nil
	}
	return fmt.Errorf("unknown part %q", p.Kind)
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
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.Dial("tcp", r.To.String())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return err
	}
	x.Local, x.Remote = addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	if r.MTLS {
		t, err := p.handshake(c, r)
		if err != nil {
			return err
		}
		defer t.Close()
		c = t
	}
	b := bufio.NewReader(c)
	for n := max(r.Count, 1); ; n-- {
		if err := get(c, b, r, n == 1, x); err != nil || n == 1 {
			return err
		}
		time.Sleep(r.Pause)
		if err := c.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
			return err
		}
	}
}

// handshake speaks TLS as the sidecar of a peer would.
func (p part) handshake(c net.Conn, r Request) (*tls.Conn, error) {
	conf, err := p.tlsClient()
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
func (p part) tlsClient() (*tls.Config, error) {
	conf, err := p.Identity.client()
	if err == nil && p.KeyLog {
		conf.KeyLogWriter = p.secrets
	}
	return conf, err
}

// sni is how Istio names a service of namespace default inside the mesh.
func sni(port int, service string) string {
	return fmt.Sprintf("outbound_.%d_._.%s.default.svc.cluster.local", port, service)
}
