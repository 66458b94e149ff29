package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
)

// A seen is a direction of a connection on an interface.
type seen struct {
	iface, proto string
	lab.Direction
}

// seenIn is what a frame shows on an interface. It is not ok for what no
// program knows of, such as ARP.
func seenIn(iface, frame string) (s seen, ok bool) {
	var h flow.Headers
	h.Decode([]byte(frame))
	protos := map[uint8]string{flow.ProtoTCP: lab.TCP, flow.ProtoUDP: lab.UDP}
	s = seen{iface: iface, proto: protos[h.Proto], Direction: lab.Direction{
		Src: netip.AddrPortFrom(h.Src.Addr(), h.Src.Port()),
		Dst: netip.AddrPortFrom(h.Dst.Addr(), h.Dst.Port()),
	}}
	return s, s.proto != ""
}

// truth is the leg of every direction, as the programs' own sockets tell.
func truth(flows []lab.Flow) map[seen]string {
	legs := make(map[seen]string)
	for _, f := range flows {
		for _, d := range []lab.Direction{f.Request, f.Answer} {
			legs[seen{f.Interface, f.Proto, d}] = f.Leg
		}
	}
	return legs
}

// holdAgainst compares the legs in a file with the truth, packet by packet, and
// with what tcpdump has seen on each interface.
func holdAgainst(t *testing.T, file string, flows []lab.Flow, peers map[string][]packet) {
	t.Helper()
	legs := truth(flows)
	got := readPcapng(t, file)
	count := make(map[string]int)
	byInterface := make(map[string][]packet)
	for name, packets := range got.interfaces {
		iface, rest, _ := strings.Cut(name, ":")
		leg, _, _ := strings.Cut(rest, "@")
		for _, p := range packets {
			s, ok := seenIn(iface, p.data)
			if ok {
				byInterface[iface] = append(byInterface[iface], p)
			}
			want, known := legs[s]
			switch {
			case !ok:
				if leg != lab.LegDirect && leg != lab.LegSelf {
					t.Errorf("a packet of no protocol is on %s", leg)
				}
				continue
			case !known:
				t.Errorf("%s: nobody knows of %+v", leg, s)
			case leg != want:
				t.Errorf("%+v is on %s, want %s", s, leg, want)
			}
			count[want]++
		}
	}
	t.Logf("packets on legs: %v", count)
	for iface, want := range peers {
		if missing := less(want, byInterface[iface]); len(missing) > 0 || len(want) != len(byInterface[iface]) {
			t.Errorf("%s: %d packets, tcpdump has %d, of which %d are not in the file", iface, len(byInterface[iface]), len(want), len(missing))
		}
	}
}

// less returns the packets of a that are not in b.
func less(a, b []packet) (missing []packet) {
	have := make(map[packet]int)
	for _, p := range b {
		have[p]++
	}
	for _, p := range a {
		if have[p]--; have[p] < 0 {
			missing = append(missing, p)
		}
	}
	return missing
}

// older are the names of cases with connections that are older than the
// capture.
func isOlder(c lab.Case) bool { return strings.Contains(c.Name, "older") }

// runCases makes the traffic of cases, one after the other.
func runCases(t *testing.T, l *lab.Lab, cases []lab.Case) (flows []lab.Flow) {
	t.Helper()
	for _, c := range cases {
		r, err := l.Run(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, r.Flows...)
	}
	return flows
}

// roomy are rings with blocks for some seconds in which nobody reads them: it is
// legs that are tested, on a machine that may be busy.
const roomy = "8m"

// TestLegs captures all cases of every rule set, and holds the leg of each
// packet against the truth, and the packets against those of tcpdump.
func TestLegs(t *testing.T) {
	configs := map[string]lab.Config{
		"app port in the ephemeral range": {AppPort: 40000},
		"low ephemeral ports":             {AppPort: 12000, Ephemeral: [2]int{10000, 14000}, Rules: lab.DualStack},
		"low ephemeral ports, article":    {AppPort: 12000, Ephemeral: [2]int{10000, 14000}, Rules: lab.Article},
		"low ephemeral ports, native":     {AppPort: 12000, Ephemeral: [2]int{10000, 14000}, Rules: lab.NativeDNS},
		"low ephemeral ports, tproxy":     {AppPort: 12000, Ephemeral: [2]int{10000, 14000}, Rules: lab.TProxy6},
		"low ephemeral ports, ambient":    {AppPort: 12000, Ephemeral: [2]int{10000, 14000}, Rules: lab.AmbientDNS6},
		"legacy tproxy":                   {Rules: lab.TProxy6, Apply: lab.IPTablesLegacy},
		"legacy ambient":                  {Rules: lab.AmbientDNS6, Apply: lab.IPTablesLegacy},
	}
	for _, r := range lab.AllRules() {
		configs[r.String()] = lab.Config{Rules: r}
	}
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, config)
			dir := t.TempDir()
			peers := startPeers(t, l, dir)
			file := dir + "/pod.pcapng"
			p := start(t, nil, listening+" eth0@", icap(t, "pod", "netns:"+l.App.Netns, "-s", "2048", "-B", roomy, "-w", file))
			before := peers.mark(t)
			flows := runCases(t, l, slices.DeleteFunc(l.Cases(), func(c lab.Case) bool {
				switch {
				case c.Name == "loop" && config.Rules == lab.AmbientIngress:
					return true // nothing leads to the port of ztunnel that it calls
				}
				return isOlder(c)
			}))
			awaitQuiet(t, dir)
			if code := p.end(syscall.SIGTERM); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			t.Log(p.text())
			holdAgainst(t, file, flows, peers.since(t, before))
		})
	}
}

// TestOlderLegs captures connections that were there before.
func TestOlderLegs(t *testing.T) {
	for _, rules := range lab.AllRules() {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			config := lab.Config{Rules: rules, AppPort: 40000}
			if rules == lab.Excludes {
				config.AppPort = 0 // that it has is one of the few that its rules take
			}
			l := labtest.New(t, config)
			for _, c := range l.Cases() {
				if !isOlder(c) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					file := temp(t, "older.pcapng")
					var p *proc
					r, err := l.Run(t.Context(), c, func() error {
						p = start(t, nil, listening+" eth0@", icap(t, "pod", "netns:"+l.App.Netns, "-w", file))
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					if code := p.end(syscall.SIGTERM); code != 0 {
						t.Fatalf("exit code %d\n%s", code, p.text())
					}
					holdAgainst(t, file, r.Flows, nil)
				})
			}
		})
	}
}

// peers are tcpdumps on both interfaces of a pod.
type peers struct {
	l   *lab.Lab
	dir string
	all map[string]*proc
}

func startPeers(t *testing.T, l *lab.Lab, dir string) *peers {
	t.Helper()
	p := &peers{l: l, dir: dir, all: make(map[string]*proc)}
	for _, iface := range []string{"lo", "eth0"} {
		p.all[iface] = tcpdump(t, l.App.NS, fmt.Sprintf("%s/%s.pcap", dir, iface), "-s", "2048", "-i", iface, "tcp or udp")
	}
	// tcpdump says that it listens before it does.
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Localhost(t.Context(), "/") },
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), false, "/") },
	} {
		if x, err := ask(); err != nil {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	awaitQuiet(t, dir)
	return p
}

// mark is how many packets there are.
func (p *peers) mark(t *testing.T) map[string]int {
	t.Helper()
	n := make(map[string]int)
	for iface := range p.all {
		n[iface] = len(readPcap(t, fmt.Sprintf("%s/%s.pcap", p.dir, iface)))
	}
	return n
}

// since ends the peers and returns the packets behind a mark.
func (p *peers) since(t *testing.T, mark map[string]int) map[string][]packet {
	t.Helper()
	packets := make(map[string][]packet)
	for iface, peer := range p.all {
		if code := peer.end(syscall.SIGINT); code != 0 {
			t.Fatalf("tcpdump ends with %d\n%s", code, peer.text())
		}
		packets[iface] = readPcap(t, fmt.Sprintf("%s/%s.pcap", p.dir, iface))[mark[iface]:]
	}
	return packets
}

// TestLegsAlone captures each leg by itself, behind a filter of its own, and
// compares it with the same leg of a capture of all.
func TestLegsAlone(t *testing.T) {
	// It makes no sense to ask for a leg that cannot occur.
	for rules, none := range map[lab.Rules]istiofilter.Legs{
		lab.NativeDNS:   istiofilter.GatewayLegs,
		lab.TProxy6:     istiofilter.GatewayLegs | istiofilter.Set(istiofilter.DNSApp),
		lab.AmbientDNS6: istiofilter.GatewayLegs | istiofilter.Set(istiofilter.Admin),
	} {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules, AppPort: 40000})
			dir := t.TempDir()
			capture := func(name string, args ...string) *proc {
				args = append([]string{"pod", "netns:" + l.App.Netns, "-B", roomy, "-w", dir + "/" + name + ".pcap"}, args...)
				return start(t, nil, listening, icap(t, args...))
			}
			all := map[string]*proc{"all": capture("all")}
			for leg := range istiofilter.AllLegs.All() {
				if !none.Has(leg) {
					all[leg.String()] = capture(leg.String(), "--leg", leg.String())
				}
			}
			runCases(t, l, slices.DeleteFunc(l.Cases(), isOlder))
			awaitQuiet(t, dir)
			for name, p := range all {
				if code := p.end(syscall.SIGTERM); code != 0 {
					t.Errorf("%s: exit code %d\n%s", name, code, p.text())
				}
			}
			want := readPcapng(t, dir+"/all.pcap").interfaces
			for name := range all {
				if name == "all" {
					continue
				}
				got := readPcapng(t, dir+"/"+name+".pcap").interfaces
				for on := range want {
					if !strings.Contains(on, ":"+name+"@") {
						continue
					}
					a, b := less(known(want[on]), known(got[on])), less(known(got[on]), known(want[on]))
					if len(a) > 0 || len(b) > 0 {
						t.Errorf("%s alone: %d packets are missing and %d too many, of %d", on, len(a), len(b), len(want[on]))
					}
					delete(got, on)
				}
				for on, packets := range got {
					t.Errorf("%s alone: %d packets on %s", name, len(packets), on)
				}
			}
		})
	}
}

// known are the packets that a program knows of. Others, such as those that
// find neighbours, come at any time.
func known(packets []packet) []packet {
	return slices.DeleteFunc(slices.Clone(packets), func(p packet) bool {
		_, ok := seenIn("", p.data)
		return !ok
	})
}
