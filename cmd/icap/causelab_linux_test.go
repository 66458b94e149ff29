package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/report"
	"icap/nsswitch"
)

// A fault is what icap events has to say of a connection that ends badly.
type fault struct {
	leg, event string
	who, sure  string
	why        string // a part of it
	impact     string // a part of it, "any" where the peer may act first
}

// faults are by case; what the evidence cannot tell apart is not told apart.
func faults() map[string]fault {
	const toPeer, toApp = "the proxy sent a FIN to the peer on ", "the proxy sent a FIN to the app on "
	refused := "peer's kernel, or a firewall on the way"
	return map[string]fault{
		"reset-app":      {"inbound-app", "RST", "app", "certain", "aborted", toPeer},
		"reset-app-mtls": {"inbound-app", "RST", "app", "certain", "aborted", "any"},
		"reset-proxy":    {"outbound-app", "RST", "proxy", "certain", "aborted", ""},
		"reset-peer":     {"outbound-wire", "RST", "peer", "likely", "aborted", toApp},
		"reset-client":   {"inbound-wire", "RST", "peer", "likely", "aborted", toApp},
		"refused-in":     {"inbound-app", "RST", "pod's kernel", "certain", "nothing listens on port 9,", toPeer},
		"refused-out":    {"outbound-wire", "RST", refused, "certain", "nothing listens on port 9, or a rule", toApp},
		"firewall":       {"outbound-wire", "RST", refused, "certain", "nothing listens on port 7, or a rule", toApp},
		"blackhole":      {"outbound-wire", "no answer", "nobody", "certain", " is not there", toApp},
		"prohibited":     {"outbound-wire", "ICMP", "peer's kernel, or a firewall on the way", "certain", "prohibits packets to", toApp},
		"udp-refused":    {"direct", "ICMP", "peer's kernel, or a firewall on the way", "certain", "nothing listens on UDP port 9, or a rule", ""},
		"tunnel-port":    {"hbone", "RST", "pod's kernel", "certain", "nothing listens on port 15008, or a rule", ""},
	}
}

// lostPatience is how long a proxy tries to reach nobody: its kernel sends several
// SYNs meanwhile.
const lostPatience = 3200 * time.Millisecond

// TestFaults reads who did what in every case of a lab that ends badly, under
// all rules.
func TestFaults(t *testing.T) {
	for _, rules := range lab.AllRules() {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules, Patience: lostPatience})
			begin, end := captureLab(t, l)
			begin()
			want, cases := faultsOf(t, l)
			told := make(map[string]int)
			for _, e := range readEvents(t, end()) {
				name := cases[e.Client+" > "+e.Server]
				if name == "" {
					t.Errorf("of no case: %+v", e)
					continue
				}
				if e.Event != "RST" && e.Event != "no answer" && e.Event != "ICMP" || e.Harmless {
					continue
				}
				if e.Because != "" || strings.Contains(e.Why, "after its FIN") {
					continue // the proxy does not read what the peer's TLS says at last
				}
				told[name]++
				got := fault{e.Leg, e.Event, e.Who, string(e.Sure), e.Why, e.Impact}
				if !got.like(want[name]) {
					t.Errorf("%s: got %+v, want %+v", name, got, want[name])
				}
			}
			for name := range want {
				if told[name] != 1 {
					t.Errorf("%s: %d faults", name, told[name])
				}
			}
		})
	}
}

// faultsOf has a lab do all that ends badly, and returns what is to be said of
// it, and the case of each connection.
func faultsOf(t *testing.T, l *lab.Lab) (want map[string]fault, cases map[string]string) {
	t.Helper()
	want, cases = make(map[string]fault), make(map[string]string)
	for _, c := range l.Cases() {
		f, ok := faults()[c.Name]
		if !ok || c.Name == "tunnel-port" && l.Mode == lab.Tunnel { // where ztunnel listens
			continue
		}
		switch {
		case c.Name == "tunnel-port" && l.Mode == lab.Transparent: // the proxy asks the app
			f.leg, f.impact = "inbound-app", "the proxy sent a FIN to the peer on "
		case c.Name == "blackhole" && l.Mode == lab.Tunnel:
			f.leg = "hbone"
		case slices.Equal(c.Legs, []string{lab.LegDirect}): // past the proxy
			f.leg, f.impact = "direct", ""
			if f.who == "app" {
				f.who = "pod"
			}
		}
		want[c.Name] = f
		for _, f := range runLab(t, l, c, nil).Flows {
			cases[f.Answer.Dst.String()+" > "+f.Answer.Src.String()] = c.Name
		}
	}
	return want, cases
}

func (f fault) like(want fault) bool {
	return f.leg == want.leg && f.event == want.event && f.who == want.who && (want.sure == "" || f.sure == want.sure) &&
		strings.Contains(f.why, want.why) &&
		(want.impact == "any" || strings.Contains(f.impact, want.impact) && (f.impact == "") == (want.impact == ""))
}

func readEvents(t *testing.T, file string, args ...string) (all []report.EventRecord) {
	t.Helper()
	args = slices.Concat([]string{"events", "-r", file, "-o", "json"}, args)
	for line := range strings.Lines(output(t, "icap", args...)) {
		var e report.EventRecord
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestForged ends a connection by a RST of somebody else, who knows its
// numbers. Nothing in the pod can tell that it was not the peer.
func TestForged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules lab.Rules
		ttl   uint8
	}{{lab.Today, 61}, {lab.Today, 64}, {lab.Article, 64}, {lab.DualStack, 64}, {lab.TProxy, 64}, {lab.Native, 64}, {lab.Ambient, 64}} {
		l := labtest.New(t, lab.Config{Rules: test.rules})
		begin, end := captureLab(t, l)
		begin()
		if err := l.Forge(t.Context(), test.ttl); err != nil {
			t.Fatal(err)
		}
		var faults []string
		for _, e := range readEvents(t, end(), "--only", "rst") {
			if !e.Harmless && e.Because == "" { // the proxy may pass it on as a RST
				faults = append(faults, fmt.Sprintf("%s by %s, %s", e.Event, e.Who, e.Leg))
			}
		}
		if got := strings.Join(faults, "; "); got != "RST by peer or middlebox, outbound-wire" {
			t.Errorf("%s, TTL %d: %s", test.rules, test.ttl, got)
		}
	}
}

// TestLeak makes the proxy speak past NAT, as it does where conntrack holds
// packets for invalid: conntrack forgets the connection, and the app ends it.
func TestLeak(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	s, err := l.Open(t.Context(), l.Client, lab.Request{To: to, Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	begin, end := captureLab(t, l)
	begin()
	err = l.App.NS.Do(func() error {
		_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, from(l.Client.Addr))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(l.App.AppPID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// To ask again would bring the connection back into conntrack.
	awaitGone(t, l.App.NS, to)
	leaks, file := 0, end()
	if _, err := s.Close(t.Context(), "/"); err == nil {
		t.Error("the connection goes on without its app")
	}
	for _, e := range readEvents(t, file, "--only", "rst") {
		if strings.Contains(e.Why, "istio/istio#36489") && e.Sure == "likely" {
			leaks++
		}
	}
	if leaks == 0 {
		t.Errorf("no leak was recognised in\n%s", output(t, "icap", "events", "-r", file))
	}
}

// awaitGone waits until a namespace has no connection from an address that is
// established.
func awaitGone(t *testing.T, ns *nsswitch.NS, local netip.AddrPort) {
	t.Helper()
	const established = 1
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		gone := true
		err := ns.Do(func() error {
			sockets, err := netlink.SocketDiagTCP(unix.AF_INET)
			for _, s := range sockets {
				own := s.ID.Source.Equal(local.Addr().AsSlice()) && !s.ID.Destination.IsLoopback()
				gone = gone && !(own && s.State == established)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if gone {
			return
		}
	}
	t.Fatal("the connection stays")
}

// from matches what conntrack knows of a client's connections.
type from netip.Addr

// MatchConntrackFlow implements [netlink.CustomConntrackFilter].
func (a from) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	return f.Forward.SrcIP.String() == netip.Addr(a).String()
}

// TestHolders names the processes at both ends, live.
func TestHolders(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	events := icap(t, "events", "netns:"+l.App.Netns, "-o", "json")
	var live strings.Builder
	events.Stdout = &live
	p := start(t, nil, "eth0@", events)
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	for range 5 {
		in, err := l.Open(t.Context(), l.Client, lab.Request{To: to, Path: "/"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := l.Open(t.Context(), l.App, lab.Request{To: l.Service, Path: "/"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // so that icap finds the sockets alive
		for _, s := range []*lab.Session{in, out} {
			if _, err := s.Close(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	named := make(map[string]int)
	for line := range strings.Lines(live.String()) {
		var e report.EventRecord
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"app": l.App.AppPID, "proxy": l.App.ProxyPID}[e.Who]
		if e.PID != 0 && e.PID != want {
			t.Errorf("%+v, want pid %d", e, want)
		}
		if e.PID != 0 {
			named[e.Leg+" "+e.Who]++
		}
	}
	for _, want := range []string{"inbound-wire proxy", "inbound-app proxy", "inbound-app app", "outbound-app app", "outbound-app proxy", "outbound-wire proxy"} {
		if named[want] == 0 {
			t.Errorf("%s is never named", want)
		}
	}
}
