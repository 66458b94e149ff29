package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
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
		"blackhole":      {"outbound-wire", "no answer", "nobody", "", "10.244.1.99:8080 is not there", toApp},
	}
}

// TestFaults reads who did what in every case of a lab that ends badly.
func TestFaults(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Article, lab.TProxy} {
		t.Run(rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: rules})
			begin, end := captureLab(t, l)
			begin()
			want := faults()
			cases := make(map[string]string) // by connection
			for _, c := range l.Cases() {
				if _, ok := want[c.Name]; ok {
					for _, f := range runLab(t, l, c, nil).Flows {
						cases[f.Answer.Dst.String()+" > "+f.Answer.Src.String()] = c.Name
					}
				}
			}
			told := make(map[string]int)
			for _, e := range readEvents(t, end()) {
				name := cases[e.Client+" > "+e.Server]
				if name == "" {
					t.Errorf("of no case: %+v", e)
					continue
				}
				if e.Event != "RST" && e.Event != "no answer" || e.Harmless {
					continue
				}
				told[name]++
				got := fault{e.Leg, e.Event, e.Who, string(e.Sure), e.Why, e.Impact}
				if w := want[name]; !got.like(w) {
					t.Errorf("%s: got %+v, want %+v", name, got, w)
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

func (f fault) like(want fault) bool {
	return f.leg == want.leg && f.event == want.event && f.who == want.who && (want.sure == "" || f.sure == want.sure) &&
		strings.Contains(f.why, want.why) &&
		(want.impact == "any" || strings.Contains(f.impact, want.impact) && (f.impact == "") == (want.impact == ""))
}

func readEvents(t *testing.T, file string, args ...string) (all []eventRecord) {
	t.Helper()
	args = slices.Concat([]string{"events", "-r", file, "-o", "json"}, args)
	for line := range strings.Lines(output(t, "icap", args...)) {
		var e eventRecord
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
	for _, ttl := range []uint8{64, 61} {
		l := labtest.New(t, lab.Config{Rules: lab.Today})
		begin, end := captureLab(t, l)
		begin()
		if err := l.Forge(t.Context(), ttl); err != nil {
			t.Fatal(err)
		}
		var faults []string
		for _, e := range readEvents(t, end(), "--only", "rst") {
			if !e.Harmless {
				faults = append(faults, fmt.Sprintf("%s by %s, %s", e.Event, e.Who, e.Leg))
			}
		}
		if got := strings.Join(faults, "; "); got != "RST by peer or middlebox, outbound-wire" {
			t.Errorf("TTL %d: %s", ttl, got)
		}
	}
}

// TestLeak makes the proxy answer past NAT, as it does where conntrack holds
// packets for invalid: conntrack forgets the connection before the answer.
func TestLeak(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	begin, end := captureLab(t, l)
	begin()
	answered := make(chan error, 1)
	go func() {
		// The app answers when the proxy has given up on Lost.
		_, err := l.Do(t.Context(), l.Client, lab.Request{To: to, Path: fmt.Sprintf("/fetch?url=http://%s/", l.Lost)})
		answered <- err
	}()
	forget := func() (done bool) {
		err := l.App.NS.Do(func() error {
			flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
			if err != nil {
				return err
			}
			for _, f := range flows {
				done = done || f.Forward.DstIP.String() == "10.244.1.99"
			}
			if !done {
				return nil
			}
			return netlink.ConntrackTableFlush(netlink.ConntrackTable)
		})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	for patience := time.Now().Add(5 * time.Second); !forget(); {
		if time.Now().After(patience) {
			t.Fatal("the proxy has not called Lost")
		}
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	leaks := 0
	for _, e := range readEvents(t, end(), "--only", "rst") {
		if strings.Contains(e.Why, "istio/istio#36489") && e.Sure == "likely" {
			leaks++
		}
	}
	if leaks == 0 {
		t.Error("no leak was recognised")
	}
}
