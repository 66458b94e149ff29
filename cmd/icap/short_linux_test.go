package main

import (
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/report"
)

// watchShort has a lab make connections that last for some milliseconds, and
// returns what events has told of them.
func watchShort(t *testing.T, l *lab.Lab, events *exec.Cmd) (all []report.EventRecord, said string) {
	t.Helper()
	var live strings.Builder
	events.Stdout = &live
	p := start(t, nil, "eth0@", events)
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	for range shortOnes {
		in, err := l.Open(t.Context(), l.Client, lab.Request{To: to, Path: "/"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := l.Open(t.Context(), l.App, lab.Request{To: l.Service, Path: "/"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
		for _, s := range []*lab.Session{in, out} {
			if _, err := s.Close(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, do := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Reset(t.Context()) },
		func() (lab.Exchange, error) { return l.Refused(t.Context()) },
	} {
		if x, err := do(); err != nil {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	return decodeEvents(t, live.String()), p.text()
}

const shortOnes = 20

func decodeEvents(t *testing.T, lines string) (all []report.EventRecord) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e report.EventRecord
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// checkHolders counts the events of each part on each leg whose process is
// known, and sees that it is the right one.
func checkHolders(t *testing.T, l *lab.Lab, all []report.EventRecord) (told, named map[string]int) {
	t.Helper()
	told, named = make(map[string]int), make(map[string]int)
	for _, e := range all {
		name := e.Leg + " " + e.Who + " " + e.Event
		told[name]++
		pid, ours := map[string]int{"app": l.App.AppPID, "proxy": l.App.ProxyPID}[e.Who]
		switch {
		case e.PID == 0:
		case !ours || e.PID != pid || e.Netns != l.App.NS.ID().Inode || e.UID == nil:
			t.Errorf("%+v, want pid %d and namespace %d", e, pid, l.App.NS.ID().Inode)
		case !e.Listening:
			named[name]++
		}
	}
	return told, named
}

// TestShort names the processes of connections that are over before their
// packets are read: those of clients, since servers are known to listen.
func TestShort(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	all, _ := watchShort(t, l, icap(t, "events", "netns:"+l.App.Netns, "-o", "json"))
	told, named := checkHolders(t, l, all)
	for _, name := range []string{"inbound-app proxy SYN", "outbound-app app SYN", "outbound-wire proxy SYN"} {
		t.Logf("%s: %d of %d", name, named[name], told[name])
		if named[name] == 0 {
			t.Errorf("%s is never named, of %d", name, told[name])
		}
	}
}

// TestEBPF has the kernel tell of both ends of all of them, and of RSTs.
func TestEBPF(t *testing.T) {
	t.Parallel()
	for _, rules := range []lab.Rules{lab.Today, lab.TProxy, lab.NativeTProxy, lab.DualStack, lab.Ambient} {
		t.Run(rules.String(), func(t *testing.T) { checkEBPF(t, labtest.New(t, lab.Config{Rules: rules})) })
	}
}

func checkEBPF(t *testing.T, l *lab.Lab) {
	t.Helper()
	all, said := watchShort(t, l, icap(t, "events", "netns:"+l.App.Netns, "--ebpf", "-o", "json"))
	if strings.Contains(said, "note:") {
		t.Errorf("icap said\n%s", said)
	}
	told, named := checkHolders(t, l, all)
	for name, n := range told {
		_, what, _ := strings.Cut(name, " ")
		if ours := strings.HasPrefix(what, "app ") || strings.HasPrefix(what, "proxy "); ours && (named[name] != n || n == 0) {
			t.Errorf("%s: %d of %d are named", name, named[name], n)
		}
	}
	var reasons []string
	for _, e := range all {
		if e.Event == "RST" {
			reasons = append(reasons, e.Leg+" "+e.Who+" "+e.Reason+" "+e.Why)
		}
	}
	for _, want := range []string{
		"inbound-app app TCP_STATE aborted the connection: closed it without lingering",
		"inbound-app pod's kernel NO_SOCKET nothing listens on port 9",
	} {
		if n := strings.Count(strings.Join(reasons, "\n")+"\n", want+"\n"); n != 1 {
			t.Errorf("%q %d times among %q", want, n, reasons)
		}
	}
}

// TestEBPFMany names the processes of connections that come 20 at a time and
// are over within a millisecond.
func TestEBPFMany(t *testing.T) {
	const connections, atATime = 500, 20
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	events := icap(t, "events", "netns:"+l.App.Netns, "--ebpf", "-o", "json")
	var live strings.Builder
	events.Stdout = &live
	p := start(t, nil, "eth0@", events)
	var all sync.WaitGroup
	slots := make(chan struct{}, atATime)
	for range connections {
		slots <- struct{}{}
		all.Go(func() {
			if x, err := l.OutboundPassthrough(t.Context(), "/"); err != nil || x.Status != 200 {
				t.Errorf("%+v, %v", x, err)
			}
			<-slots
		})
	}
	all.Wait()
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	told, named := checkHolders(t, l, decodeEvents(t, live.String()))
	for _, name := range []string{"outbound-app app SYN", "outbound-app proxy SYN-ACK", "outbound-app app FIN",
		"outbound-app proxy FIN", "outbound-wire proxy SYN", "outbound-wire proxy FIN"} {
		if told[name] != connections || named[name] != connections {
			t.Errorf("%s: %d of %d are named", name, named[name], told[name])
		}
	}
}

// TestEBPFRule tells a rule that rejects from a port on which nobody listens.
func TestEBPFRule(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	err := l.App.NS.Do(func() error {
		nft := exec.Command("nft", "-f", "-")
		nft.Stdin = strings.NewReader("table ip own { chain in { type filter hook input priority 0; tcp dport 9 reject with tcp reset; }; }")
		return nft.Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	events := icap(t, "events", "netns:"+l.App.Netns, "--ebpf", "--only", "rst", "-o", "json")
	var live strings.Builder
	events.Stdout = &live
	p := start(t, nil, "eth0@", events)
	if _, err := l.Refused(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	rejected := 0
	for _, e := range decodeEvents(t, live.String()) {
		if e.Leg == "inbound-app" && e.Why == "a rule in the pod rejects connections to port 9" && e.Sure == "likely" {
			rejected++
		}
	}
	if rejected != 1 {
		t.Errorf("%d in\n%s", rejected, live.String())
	}
}

// TestEBPFMissing asks for it without the privilege.
func TestEBPFMissing(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	cmd := icap(t, "events", "self", "--ebpf")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: []uintptr{unix.CAP_NET_RAW},
	}
	readable(t, cmd)
	var out strings.Builder
	cmd.Stdout = &out
	p := start(t, l.App.NS, listening, cmd)
	if x, err := l.Inbound(t.Context(), false, "/"); err != nil || x.Status != 200 {
		t.Fatalf("%+v, %v", x, err)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	if n := strings.Count(p.text(), "no eBPF"); n != 1 || !strings.Contains(p.text(), "CAP_BPF") {
		t.Errorf("told %d times\n%s", n, p.text())
	}
	if !strings.Contains(out.String(), "FIN") {
		t.Errorf("events:\n%s", out.String())
	}
}

// TestFlowProcesses names those of short connections in a table, by eBPF.
func TestFlowProcesses(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	cmd := icap(t, "flows", "netns:"+l.App.Netns, "--ebpf", "-o", "json")
	var out strings.Builder
	cmd.Stdout = &out
	p := start(t, nil, "eth0@", cmd)
	askAll(t, l)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	var all []report.FlowRecord
	if err := json.Unmarshal([]byte(out.String()), &all); err != nil {
		t.Fatal(err)
	}
	app, proxy := l.App.AppPID, l.App.ProxyPID
	for _, r := range all {
		want, ok := map[string][2]int{"inbound-wire": {0, proxy}, "inbound-app": {proxy, app},
			"outbound-app": {app, proxy}, "outbound-wire": {proxy, 0}}[r.Leg]
		if !ok || r.ClientPID != want[0] || r.ServerPID != want[1] {
			t.Errorf("%s: %d and %d, want %v", r.Leg, r.ClientPID, r.ServerPID, want)
		}
	}
	if len(all) != 8 {
		t.Errorf("%d connections", len(all))
	}
}
