package lab_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// A request is a way to make traffic.
type request func(ctx context.Context, l *lab.Lab) (lab.Exchange, error)

// A traffic case says what has to come of a request.
type traffic struct {
	do   request
	body string     // body is of an exchange with status 200.
	peer netip.Addr // peer is what the server saw; invalid means Local.
	err  bool       // err means that there must be no answer.
}

const path = "/hello?a=b"

// fetch is an ordinary request as a case.
func fetch(from func(l *lab.Lab) *lab.Pod, to func(l *lab.Lab) netip.AddrPort, mtls bool) request {
	return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) {
		return l.Do(ctx, from(l), lab.Request{To: to(l), Path: path, MTLS: mtls})
	}
}

func client(l *lab.Lab) *lab.Pod { return l.Client }
func app(l *lab.Lab) *lab.Pod    { return l.App }

// cases are what every lab can do.
func cases() map[string]traffic {
	var (
		sidecar = netip.MustParseAddr("127.0.0.6")
		page    = lab.Greeting("productpage", path)
		pod     = netip.MustParseAddr("10.244.0.11")
	)
	type helper = func(*lab.Lab, context.Context, string) (lab.Exchange, error)
	by := func(h helper) request {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return h(l, ctx, path) }
	}
	bare := func(h func(*lab.Lab, context.Context) (lab.Exchange, error)) request {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return h(l, ctx) }
	}
	inbound := func(mtls bool) request {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return l.Inbound(ctx, mtls, path) }
	}
	return map[string]traffic{
		"inbound-mtls":         {do: inbound(true), body: page, peer: sidecar},
		"inbound-plain":        {do: inbound(false), body: page, peer: sidecar},
		"outbound-mesh":        {do: by((*lab.Lab).OutboundMesh), body: lab.Greeting("reviews", path), peer: sidecar},
		"outbound-passthrough": {do: by((*lab.Lab).OutboundPassthrough), body: lab.Greeting("client", path), peer: pod},
		"self-direct":          {do: by((*lab.Lab).SelfDirect), body: page},
		"self-service":         {do: by((*lab.Lab).SelfService), body: page, peer: sidecar},
		"localhost":            {do: by((*lab.Lab).Localhost), body: page},
		"health": {
			do:   bare((*lab.Lab).Health),
			body: lab.Greeting("envoy of productpage", "/healthz/ready"),
		},
		"admin": {
			do:   bare((*lab.Lab).Admin),
			body: lab.Greeting("envoy of productpage", "/server_info"),
		},
		"reset":   {do: bare((*lab.Lab).Reset), err: true},
		"refused": {do: bare((*lab.Lab).Refused), err: true},
		"loop": {
			// The sidecar's own listener has no original destination
			// but itself.
			do: fetch(client, func(l *lab.Lab) netip.AddrPort {
				return netip.AddrPortFrom(l.App.Addr, lab.PortInbound)
			}, false),
			err: true,
		},
	}
}

// cases6 are the same over IPv6 with rules for it.
func cases6() map[string]traffic {
	var (
		sidecar = netip.MustParseAddr("::6")
		page    = lab.Greeting("productpage", path)
		pod     = func(l *lab.Lab) netip.AddrPort { return netip.AddrPortFrom(l.App.Addr6, uint16(l.AppPort)) }
	)
	return map[string]traffic{
		"inbound-mtls-6":  {do: fetch(client, pod, true), body: page, peer: sidecar},
		"inbound-plain-6": {do: fetch(client, pod, false), body: page, peer: sidecar},
		"outbound-mesh-6": {
			do:   fetch(app, func(l *lab.Lab) netip.AddrPort { return l.Service6 }, false),
			body: lab.Greeting("reviews", path), peer: sidecar,
		},
		"outbound-passthrough-6": {
			do:   fetch(app, func(l *lab.Lab) netip.AddrPort { return l.Outside6 }, false),
			body: lab.Greeting("client", path), peer: netip.MustParseAddr("fd00:10:244::b"),
		},
		"self-direct-6": {do: fetch(app, pod, false), body: page},
		"self-service-6": {
			do:   fetch(app, func(l *lab.Lab) netip.AddrPort { return l.OwnService6 }, false),
			body: page, peer: sidecar,
		},
	}
}

func (c traffic) check(t *testing.T, l *lab.Lab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	x, err := c.do(ctx, l)
	if err != nil {
		t.Fatal(err)
	}
	if c.err {
		if x.Err == "" || x.Status != 0 {
			t.Errorf("got %+v, want no answer", x)
		}
		return
	}
	if x.Status != 200 || x.Body != c.body || x.Err != "" {
		t.Fatalf("got %+v, want 200 and %q", x, c.body)
	}
	if !c.peer.IsValid() && x.Peer != x.Local {
		t.Errorf("server saw %v, want the requester %v", x.Peer, x.Local)
	}
	if c.peer.IsValid() && (x.Peer.Addr() != c.peer || x.Peer == x.Local) {
		t.Errorf("server saw %v, want %v in a connection of its own", x.Peer, c.peer)
	}
}

func run(t *testing.T, l *lab.Lab, sets ...map[string]traffic) {
	t.Helper()
	for _, set := range sets {
		for name, c := range set {
			t.Run(name, func(t *testing.T) { c.check(t, l) })
		}
	}
}

// TestTraffic runs every case under every rule set, applied in every way.
func TestTraffic(t *testing.T) {
	for _, how := range []lab.Apply{lab.IPTables, lab.IPTablesLegacy, lab.NFTables} {
		for _, r := range []lab.Rules{lab.Today, lab.Article, lab.DualStack} {
			t.Run(fmt.Sprintf("%v/%v", how, r), func(t *testing.T) {
				needApply(t, how)
				l := labtest.New(t, lab.Config{Rules: r, Apply: how})
				if l.Applied != how {
					t.Errorf("rules applied by %v, want %v", l.Applied, how)
				}
				run(t, l, cases())
				if r == lab.DualStack {
					run(t, l, cases6())
				}
			})
		}
	}
}

// TestBypass6 shows what rules for IPv4 alone leave open.
func TestBypass6(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Article})
	traffic{
		do: fetch(client, func(l *lab.Lab) netip.AddrPort {
			return netip.AddrPortFrom(l.App.Addr6, uint16(l.AppPort))
		}, false),
		body: lab.Greeting("productpage", path),
	}.check(t, l)
}

func TestAppPort(t *testing.T) {
	l := labtest.New(t, lab.Config{AppPort: 40000})
	run(t, l, cases())
}

// TestFetch makes an outbound request by an inbound one.
func TestFetch(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	x, err := l.Inbound(t.Context(), true, fmt.Sprintf("/fetch?url=http://%s/x", l.Service))
	if err != nil {
		t.Fatal(err)
	}
	if want := lab.Greeting("reviews", "/x"); x.Status != 200 || x.Body != want {
		t.Errorf("got %+v, want 200 and %q", x, want)
	}
}

// TestBytes moves more than all socket buffers hold, through two sidecars.
func TestBytes(t *testing.T) {
	const size = 8 << 20
	l := labtest.New(t, lab.Config{})
	x, err := l.OutboundMesh(t.Context(), fmt.Sprintf("/bytes?n=%d", size))
	if err != nil {
		t.Fatal(err)
	}
	if x.Status != 200 || x.Size != size {
		t.Errorf("got status %d, %d bytes, error %q; want 200, %d bytes", x.Status, x.Size, x.Err, size)
	}
}

// TestCount asks several times on one connection.
func TestCount(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	const pause = 50 * time.Millisecond
	begin := time.Now()
	x, err := l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: path, Count: 3, Pause: pause})
	if err != nil {
		t.Fatal(err)
	}
	if x.Status != 200 || x.Err != "" {
		t.Errorf("got %+v", x)
	}
	if d := time.Since(begin); d < 2*pause {
		t.Errorf("took %v, want at least %v", d, 2*pause)
	}
}

// TestConcurrent has many requests under way in one stand-in.
func TestConcurrent(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	var (
		wg   sync.WaitGroup
		seen sync.Map
	)
	for i := range 100 {
		wg.Go(func() {
			path := fmt.Sprintf("/%d", i)
			x, err := l.OutboundMesh(t.Context(), path)
			if err != nil || x.Body != lab.Greeting("reviews", path) {
				t.Errorf("request %d: got %+v, %v", i, x, err)
			}
			if _, twice := seen.LoadOrStore(x.Local, i); twice {
				t.Errorf("request %d: %v was used before", i, x.Local)
			}
		})
	}
	wg.Wait()
}

// TestContext gives up on a request and makes another one.
func TestContext(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	slow := lab.Request{To: l.Service, Path: path, Count: 2, Pause: 200 * time.Millisecond}
	if _, err := l.Do(ctx, l.App, slow); err == nil {
		t.Error("request outlived its context")
	}
	cases()["outbound-mesh"].check(t, l)
}

func TestKeyLog(t *testing.T) {
	var log buffer
	l := labtest.New(t, lab.Config{KeyLog: &log})
	cases()["inbound-mtls"].check(t, l)
	cases()["outbound-mesh"].check(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "CLIENT_TRAFFIC_SECRET_0 "); got != 2 {
		t.Errorf("got secrets of %d connections, want 2:\n%s", got, log.String())
	}
}

// A buffer takes what several goroutines write.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
