package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/report"
)

// captureAll captures the pods of a lab into one file, whose name the end
// returns.
func captureAll(t *testing.T, l *lab.Lab) (end func() string) {
	t.Helper()
	file := temp(t, "all.pcapng")
	p := start(t, nil, listening, icap(t, "pod", "-w", file,
		"netns:"+l.Client.Netns, "netns:"+l.App.Netns, "netns:"+l.Server.Netns, "--"))
	return func() string {
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		return file
	}
}

// do has the app of a pod ask, whatever comes of it.
func do(t *testing.T, l *lab.Lab, from *lab.Pod, r lab.Request) {
	t.Helper()
	if _, err := l.Do(t.Context(), from, r); err != nil {
		t.Fatal(err)
	}
}

// TestAcrossPods has every party between two apps end connections, and finds
// out who it was from the capture of all pods.
func TestAcrossPods(t *testing.T) {
	t.Parallel()
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	port := func(p *lab.Pod, port int) netip.AddrPort { return netip.AddrPortFrom(p.Addr, uint16(port)) }
	end := captureAll(t, l)

	do(t, l, l.Client, lab.Request{To: port(l.Server, l.AppPort), Path: "/", Abort: true})
	do(t, l, l.App, lab.Request{To: port(l.Server, l.AppPort), Path: "/reset"}) // without TLS, whose alerts end connections, too
	do(t, l, l.App, lab.Request{To: port(l.Client, 9), Path: "/"})
	do(t, l, l.App, lab.Request{To: port(l.Client, lab.ProhibitedPort), Path: "/"})
	if err := l.ForgeBetween(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := l.Open(t.Context(), l.App, lab.Request{To: l.Service, Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Part(true); err != nil {
		t.Fatal(err)
	}
	together := time.AfterFunc(1600*time.Millisecond, func() {
		if err := l.Part(false); err != nil {
			t.Error(err)
		}
	})
	defer together.Stop()
	var late sync.WaitGroup
	late.Go(func() {
		if _, err := l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: "/lost"}); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Close(t.Context(), "/late"); err != nil {
		t.Error(err)
	}
	late.Wait()

	events := readEvents(t, end())
	for _, want := range []struct{ what, event, pod, leg, who, passage, why, because string }{
		{"the client aborts", "RST", l.Server.Netns, "inbound-wire", "peer", "arrived", "aborted the connection", ""},
		{"what the app of reviews did", "FIN", l.Server.Netns, "inbound-wire", "proxy", "arrived", "", "because of a RST by app"},
		{"reaches the app of productpage", "FIN", l.App.Netns, "outbound-app", "proxy", "", "", "(inbound-app of netns:" + l.Server.Netns + ")"},
		{"nobody listens", "RST", l.App.Netns, "outbound-wire", "peer's kernel", "arrived", "nothing listens on port 9", ""},
		{"a rule in the pod", "ICMP", l.App.Netns, "outbound-wire", "peer's kernel", "arrived", "prohibits", ""},
		{"somebody between", "RST", l.App.Netns, "outbound-wire", "middlebox", "forged", "in the name of the peer", ""},
		{"data is lost", "retransmissions", l.App.Netns, "outbound-wire", "proxy", "lost", "lost between the pods", ""},
		{"a SYN is lost", "SYN", l.App.Netns, "outbound-wire", "proxy", "lost", "", ""},
	} {
		if !slices.ContainsFunc(events, func(e report.EventRecord) bool {
			return e.Event == want.event && e.Pod == "netns:"+want.pod && e.Leg == want.leg && e.Who == want.who && string(e.Passage) == want.passage &&
				e.Sure == "certain" && strings.Contains(e.Why, want.why) && strings.Contains(e.Because, want.because)
		}) {
			t.Errorf("%s: no %s by %s on %s of %s", want.what, want.event, want.who, want.leg, want.pod)
		}
	}
	forged := 0
	for _, e := range events {
		if strings.Contains(e.Who, "middlebox") || e.Passage == "forged" {
			forged++
		}
		if e.Passage == "arrived" && e.Took != nil && (*e.Took < 0 || *e.Took > 0.1) && e.Event != "SYN" && e.Event != "FIN" {
			t.Errorf("%f s on the way: %+v", *e.Took, e)
		}
	}
	if forged != 1 {
		t.Errorf("%d events are forged", forged)
	}
	if t.Failed() {
		for _, e := range events {
			t.Logf("%s %s@%s %s > %s by %s (%s): %s [%s] passage %q -> %s <- %s", e.Event, e.Leg, e.Pod, e.Client, e.Server, e.Who, e.Sure, e.Why, e.Evidence, e.Passage, e.Impact, e.Because)
		}
	}
}

// TestHops follows requests from app to app: by the mesh, and by a service whose
// address the node changes, as it does that of the client.
func TestHops(t *testing.T) {
	t.Parallel()
	for _, rules := range []lab.Rules{lab.Today, lab.TProxy, lab.Ambient} {
		t.Run(rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: rules})
			service := netip.MustParseAddrPort("10.96.7.7:80")
			if err := l.Balance(service, netip.AddrPortFrom(l.Server.Addr, uint16(l.AppPort))); err != nil {
				t.Fatal(err)
			}
			end := captureAll(t, l)
			for _, to := range []netip.AddrPort{l.Service, service} {
				if x, err := l.Do(t.Context(), l.App, lab.Request{To: to, Path: "/"}); err != nil || x.Status != 200 {
					t.Fatalf("%+v, %v", x, err)
				}
			}
			file := end()
			productpage, reviews := "netns:"+l.App.Netns, "netns:"+l.Server.Netns
			var hops []report.HopRecord
			if err := json.Unmarshal([]byte(output(t, "icap", "flows", "-r", file, "--hops", "-o", "json")), &hops); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, h := range hops {
				names = append(names, strings.TrimSpace(fmt.Sprintf("%d %s %s", h.Flow, h.At, h.Pod)))
			}
			var want []string
			for flow := 1; flow <= 2; flow++ {
				for _, name := range []string{"app " + productpage, "proxy " + productpage, "network", "proxy " + reviews, "app " + reviews} {
					want = append(want, fmt.Sprintf("%d %s", flow, name))
				}
			}
			if !slices.Equal(names, want) {
				t.Fatalf("got  %q\nwant %q", names, want)
			}
			for flow := range 2 {
				own := hops[5*flow : 5*flow+5]
				sum := *own[4].Response
				for _, h := range own[1:4] {
					if *h.Request < 0 || *h.Response < 0 || *h.Connect < 0 || h.Halved {
						t.Errorf("%+v", h)
					}
					sum += *h.Request + *h.Response
				}
				if all := *own[0].Response; all-sum > 1e-6 || sum-all > 1e-6 {
					t.Errorf("flow %d: the hops took %f s, and all of it %f", flow+1, sum, all)
				}
			}

			joins := make(map[int]string)
			for _, p := range readPairs(t, file) {
				if p.Join && p.Sure == "certain" {
					joins[p.Flow] = p.Evidence
				}
			}
			if len(joins) != 2 || strings.Contains(joins[1], "NAT") || !strings.Contains(joins[2], "through NAT") {
				t.Errorf("joins of %d flows: %v", len(joins), joins)
			}

			picture := output(t, "icap", "events", "-r", file, "-o", "mermaid")
			var actors []string
			for line := range strings.Lines(picture) {
				if _, name, ok := strings.Cut(line, " as "); ok && strings.Contains(line, "participant") {
					actors = append(actors, strings.TrimSpace(name))
				}
			}
			if want := []string{"app of " + productpage, "proxy of " + productpage, "network", "proxy of " + reviews, "app of " + reviews}; !slices.Equal(actors, want) {
				t.Errorf("got %q, want %q", actors, want)
			}
			if table := output(t, "icap", "flows", "-r", file); !strings.Contains(table, "waits for all of it") {
				t.Errorf("the list of connections has no hops:\n%s", table)
			}
		})
	}
}

// TestForgedLive finds out while both pods are captured that a RST is neither
// one's.
func TestForgedLive(t *testing.T) {
	t.Parallel()
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	events := icap(t, "events", "-o", "json", "--only", "rst", "netns:"+l.App.Netns, "netns:"+l.Server.Netns, "--")
	var live strings.Builder
	events.Stdout = &live
	p := start(t, nil, listening, events)
	if err := l.ForgeBetween(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, l, l.App, lab.Request{To: l.Service, Path: "/"}) // the capture goes on
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	var who []string
	for _, e := range decodeEvents(t, live.String()) {
		if e.Leg == "outbound-wire" {
			who = append(who, fmt.Sprintf("%s (%s), %s", e.Who, e.Sure, e.Passage))
		}
	}
	if got := strings.Join(who, "; "); got != "middlebox (certain), forged" {
		t.Errorf("RSTs by %s", got)
	}
}
