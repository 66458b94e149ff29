package lab

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
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

	commands, replies := json.NewDecoder(in), json.NewEncoder(out)
	var p part
	if err := commands.Decode(&p); err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	if err := p.open(); err != nil {
		return replies.Encode(reply{Err: err.Error()})
	}
	if err := replies.Encode(reply{}); err != nil {
		return err
	}
	var mu sync.Mutex
	for {
		var c command
		if err := commands.Decode(&c); err != nil {
			return nil
		}
		go func() {
			x := p.request(c.Request)
			mu.Lock()
			defer mu.Unlock()
			_ = replies.Encode(reply{ID: c.ID, Exchange: x})
		}()
	}
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

// request connects, asks and hangs up. It reads until the server has hung up,
// so that the server's FIN comes first and nothing is left to be reset.
func (p part) request(r Request) Exchange {
	var x Exchange
	if err := p.exchange(r, &x); err != nil {
		x.Err = err.Error()
	}
	return x
}

func (p part) exchange(r Request, x *Exchange) error {
	deadline := time.Now().Add(exchangeTimeout)
	d := net.Dialer{Deadline: deadline}
	c, err := d.Dial("tcp", r.To.String())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	x.Local, x.Remote = addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	if r.MTLS {
		t, err := p.handshake(c, r.To)
		if err != nil {
			return err
		}
		defer t.Close()
		c = t
	}
	return get(c, r.To, r.Path, x)
}

// handshake speaks TLS as the sidecar of a peer would.
func (p part) handshake(c net.Conn, to netip.AddrPort) (*tls.Conn, error) {
	conf, err := p.Identity.client()
	if err != nil {
		return nil, err
	}
	conf.ServerName = sni(int(to.Port()), workloadApp)
	t := tls.Client(c, conf)
	return t, t.HandshakeContext(context.Background())
}

// sni is how Istio names a service of namespace default inside the mesh.
func sni(port int, service string) string {
	return fmt.Sprintf("outbound_.%d_._.%s.default.svc.cluster.local", port, service)
}
