package bpfc

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

// liveExprs are about VLAN tags, which live packets can have beside them.
var liveExprs = []string{
	"vlan", "not vlan", "vlan 5", "vlan 5 and ip", "vlan or ip", "ip or vlan 5", "tcp or (vlan and tcp)",
	"port 80 or (vlan and port 80)", "arp or (vlan and arp)", "vlan and vlan",
	"vlan 5 and vlan 100", "vlan and not tcp", "not vlan and not arp", "vlan 5 and host 10.0.0.1 or host 10.0.0.2",
	"(vlan 5 and tcp) or (vlan 100 and udp)", "ether host 02:00:00:00:00:0a and vlan and ip", "vlan and multicast",
	"vlan and tcp[13] & 2 != 0", "vlan and mpls 16 and ip", "ip6 and vlan", "udp and (vlan 5 or vlan 100)",
	"vlan and (tcp or udp) and port 53", "outbound and tcp", "ifindex 2 and vlan 5", "not (vlan and tcp)",

	// Some packets pass by "vlan", for which nothing has moved behind it.
	"tcp and vlan or udp", "(tcp and vlan) or udp", "arp or vlan and arp", "ip and tcp or vlan and ip and tcp",
	"vlan 5 and vlan 6", "vlan and ip", "vlan or tcp", "not vlan 5 or ip", "inbound and vlan", "inbound", "outbound", "ifindex 2",
	"not ifindex 2 and vlan and tcp", "vlan and ifindex 3", "not outbound or vlan 5", "vlan and pppoes and ip", "vlan and llc",
	"vlan 0", "vlan 4095 or vlan 5", "vlan and ip6 and tcp", "vlan and (arp or rarp)", "vlan and ether proto 0x800",
	"vlan and vlan and vlan", "vlan 5 and (vlan or ip)", "vlan and src net 10.0.0.0/8", "vlan and portrange 50-90", "vlan and ether broadcast",
	"host 10.0.0.1 or vlan 5 and ip or vlan 100 and tcp", "tcp and not vlan or proto 17",
	"(ip and (tcp and vlan 5)) or host 10.0.0.2", "not (arp or vlan) or tcp", "tcp and vlan and ip or ip6",
}

// liveTcpdump returns the program that libpcap compiles for a socket on lo.
func liveTcpdump(expr string, flags ...string) (*Program, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("tcpdump", append(flags, "-p", "-i", "lo", "-ddd", "--", expr)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(stderr.String())
	}
	return parseDecimal(string(out))
}

// A livePacket is a packet as a socket delivers it.
type livePacket struct {
	pkt []byte
	m   Meta
}

// differs reports whether two programs have different verdicts on the packet
// as a whole, or where it is cut.
func (l livePacket) differs(r *rand.Rand, p, q *Program) bool {
	for _, cut := range append(truncated(r, l.pkt), l.pkt) {
		if p.MatchMeta(cut, len(l.pkt), &l.m) != q.MatchMeta(cut, len(l.pkt), &l.m) {
			return true
		}
	}
	return false
}

// TestLiveAgainstTcpdump compares verdicts on live packets, whole and cut to
// every length, with those of libpcap's program, be it optimized or not.
// Where these differ, libpcap's optimizer makes a mistake.
func TestLiveAgainstTcpdump(t *testing.T) {
	if os.Geteuid() != 0 {
		need(t, "root")
	}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	r := rand.New(rand.NewPCG(61, 62))
	var pkts []livePacket
	whole, _ := packetsOf(Ethernet, r)
	for i, n := range r.Perm(len(whole))[:80] {
		frame := whole[n][:80]
		m := Meta{IfIndex: uint32(2 + i%2), PacketType: uint8(i % 5), HAType: 1}
		if s := stripped(frame); i%3 > 0 && s.ancillary[ancillaryVLANPresent] == 1 {
			frame = s.pkt
			m.VLANPresent, m.VLANTCI = true, uint16(s.ancillary[ancillaryVLANTag])
		}
		pkts = append(pkts, livePacket{frame, m})
	}
	exprs := sample(liveExprs, 2)
	fixed := len(exprs)
	s := realist{sentencer{r}}
	for range amount(20) {
		exprs = append(exprs, s.pick("vlan and ", "vlan 5 and ", "not vlan and ", "vlan and vlan and ", "inbound and ", "outbound and vlan and ",
			"ifindex 2 and ", "tcp or vlan and ", "udp or (vlan and udp) or ")+"("+s.expression(1)+")")
	}
	differ := 0
	for n, expr := range exprs {
		optimized, err := liveTcpdump(expr)
		if n >= fixed && err != nil {
			continue // no packet can match
		}
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		var plain *Program // compiled only if it is needed
		o := asTcpdump
		o.Live = true
		p, err := CompileOptions(expr, Ethernet, o)
		if errors.Is(err, ErrNeverMatches) && n >= fixed {
			p, err = &Program{Insns: []bpf.RawInstruction{{Op: opReturnK}}}, nil
		}
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if n >= fixed {
			if slices.ContainsFunc(pkts, func(l livePacket) bool { return l.differs(r, p, optimized) }) {
				differ++
				t.Logf("differs: %s", expr)
			}
			continue
		}
		for _, l := range pkts {
			for n := range len(l.pkt) + 1 {
				cut := l.pkt[:n]
				got := p.MatchMeta(cut, len(l.pkt), &l.m)
				want := optimized.MatchMeta(cut, len(l.pkt), &l.m)
				if got == want {
					continue
				}
				if plain == nil {
					if plain, err = liveTcpdump(expr, "-O"); err != nil {
						t.Fatalf("%q: %v", expr, err)
					}
				}
				if got != plain.MatchMeta(cut, len(l.pkt), &l.m) {
					t.Fatalf("%q on %x, %+v: got %d, want %d\n%s", expr, cut, l.m, got, want, p.Dump())
				}
			}
		}
	}
	if differ > 1+len(exprs)/100 {
		t.Errorf("%d of %d random expressions differ", differ, len(exprs)-fixed)
	}
}
