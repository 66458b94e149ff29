package istiofilter_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/flow"
	"icap/istiofilter"
)

// A script is a capture, a packet a line, with the leg that it is on:
//
//	WHERE SRC > DST KIND = LEG
//
// WHERE is lo, or in and out for the two directions on eth0; in@net1 is on
// another interface. lo-, lo+ and lo* say that the packet has no mark of the
// proxy, one of those to the app, and one of those to itself. Addresses are
// names, for either IP version, or numbers. KIND is the TCP flags S, SA, A, F,
// or R, or udp, sctp, icmp, arp, frag (TCP) and udpfrag.
type script string

// packets reads the script with a set of names.
func (s script) packets(t *testing.T, names map[string]string) (all []packet, legs []istiofilter.Leg) {
	t.Helper()
	for line := range strings.Lines(string(s)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 7 || f[2] != ">" || f[5] != "=" {
			t.Fatalf("line %q", line)
		}
		where, link, _ := strings.Cut(f[0], "@")
		p := packet{loopback: where[:2] == "lo", sent: where == "out", link: link, origin: origins[where]}
		p.src, p.dst = endpoint(t, f[1], names), endpoint(t, f[3], names)
		if err := p.setKind(f[4]); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		leg, err := istiofilter.ParseLegs(f[6])
		if err != nil {
			t.Fatal(err)
		}
		for l := range leg.All() {
			legs = append(legs, l)
		}
		all = append(all, p)
	}
	return all, legs
}

// origins are those of packets on lo.
var origins = map[string]istiofilter.Origin{
	"lo-": istiofilter.OriginOther, "lo+": istiofilter.OriginUpstream, "lo*": istiofilter.OriginSelf,
}

func (p *packet) setKind(kind string) error {
	v6 := p.src.Addr().Is6()
	p.proto = flow.ProtoTCP
	switch kind {
	case "S":
		p.flags = flow.SYN
	case "SA":
		p.flags = flow.SYN | flow.ACK
	case "A":
		p.flags = flow.ACK
	case "F":
		p.flags = flow.FIN | flow.ACK
	case "R":
		p.flags = flow.RST
	case "udp":
		p.proto = flow.ProtoUDP
	case "sctp":
		p.proto = flow.ProtoSCTP
	case "icmp":
		p.proto = flow.ProtoICMP
		if v6 {
			p.proto = flow.ProtoICMPv6
		}
	case "arp":
		p.proto = 0
	case "frag":
		p.fragment = true
	case "udpfrag":
		p.proto, p.fragment = flow.ProtoUDP, true
	default:
		return fmt.Errorf("unknown kind %q", kind)
	}
	return nil
}

// endpoint reads NAME:PORT or an address with a port.
func endpoint(t *testing.T, text string, names map[string]string) netip.AddrPort {
	t.Helper()
	name, port, _ := strings.Cut(text, ":")
	if addr, ok := names[name]; ok {
		text = fmt.Sprintf("[%s]:%s", addr, port)
		if !strings.Contains(addr, ":") {
			text = addr + ":" + port
		}
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// run classifies the script's packets, one after the other.
func (s script) run(t *testing.T, pod *istiofilter.Pod, names map[string]string) {
	t.Helper()
	s.runOn(t, istiofilter.NewClassifier(pod), names)
}

func (s script) runOn(t *testing.T, c *istiofilter.Classifier, names map[string]string) {
	t.Helper()
	packets, want := s.packets(t, names)
	lines := strings.FieldsFunc(string(s), func(r rune) bool { return r == '\n' })
	for i, p := range packets {
		seen := p.seen()
		if got := c.Leg(&seen); got != want[i] {
			t.Errorf("packet %d, %s: got %v", i, strings.TrimSpace(lines[i]), got)
		}
	}
}

// both runs a script over IPv4 and over IPv6.
func both(t *testing.T, pod *istiofilter.Pod, scripts map[string]script) {
	t.Helper()
	for name, s := range scripts {
		t.Run(name+"/4", func(t *testing.T) { s.run(t, pod, addrs4) })
		t.Run(name+"/6", func(t *testing.T) { s.run(t, pod, addrs6) })
	}
}
