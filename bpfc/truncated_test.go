package bpfc

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// sensible returns an expression as somebody could mean it: up to three
// conjunctions of things that can be true together, in a tunnel at times.
func (s linguist) sensible() string {
	outer := ""
	if s.lt == Ethernet && s.IntN(5) == 0 {
		outer = s.pick("vlan and ", "vlan 5 and ", "vlan 100 and vlan 5 and ", "mpls 16 and ", "pppoes and ", "vlan 5 and pppoes 7 and ")
	}
	switch s.IntN(5) {
	case 0, 1:
		return outer + s.both()
	case 2:
		return outer + "(" + s.both() + ") or (" + s.both() + ")"
	case 3:
		return outer + s.both() + " and not (" + s.both() + ")"
	}
	return outer + "(" + s.both() + ") or (" + s.both() + ") or (" + s.both() + ")"
}

// both returns a restriction and what it restricts.
func (s linguist) both() string {
	a := s.pick("", "", "", "host "+s.host4(), "src host "+s.host4(), "net 10.0.0.0/8", "dst net 192.168.0.0/16",
		"not host "+s.host4(), "host "+s.host6(), "src net fd00::/8", "ip", "ip6", "less 100", "len > 80",
		"len - 14 < 100", "ip[8] < 65", "ip[6:2] & 0x1fff = 0", "ether proto 0x800", "not arp", "ip[9] = 6")
	if s.lt == Ethernet && s.IntN(4) == 0 {
		a = s.pick("ether host 02:00:00:00:00:0a", "ether dst ff:ff:ff:ff:ff:ff", "not broadcast", "not multicast")
	}
	b := s.pick("tcp", "udp", "icmp", "icmp6", "tcp port "+s.number(), "port "+s.port(), "src port "+s.port(),
		"tcp port ("+s.number()+" or "+s.number()+" or "+s.number()+")", "not port "+s.port(), "portrange 1-1023",
		"udp src portrange 1024-65535", "(tcp port 80 or udp port 53)", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"icmp[icmptype] = icmp-echo", "icmp6[0] = 135", "udp[4:2] > 20", "tcp[12] >> 4 > 5", "proto 47", "ip6 proto 58",
		"sctp", "ah", "host "+s.host4(), "src or dst net 10.0.0.0/24", "arp", "arp host "+s.host4(), "(tcp or udp)",
		"ip multicast", "ip6 multicast", "src "+s.host4()+" and dst "+s.host4(), "net 10 or net 192.168",
		"ip[2:2] > 576", "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "ip protochain 6", "ip6 protochain 17")
	if s.IntN(6) == 0 {
		b = "not " + b
	}
	if a == "" {
		return b
	}
	return a + " and " + b
}

// truncatedExprs are of those kinds for which it matters, where packets end
// early, which loads a program makes.
var truncatedExprs = []string{
	"host 10.0.0.1", "not host 10.0.0.1", "net 0.0.0.0/0", "ip6 net ::/0", "net fd00::/8", "not net 2001:db8::/32",
	"port 80", "not port 80", "tcp port 80 or 443", "port 80 or not port 80", "portrange 0-65535", "src and dst port 53",
	"ip and not ip6", "tcp or udp and port 53", "not tcp and not udp", "less 64 or tcp", "tcp or not tcp and less 64",
	"(sctp and pim) or len > 60", "ip[2:2] > 576 or ip", "len - 14 > ip[2:2]", "ip[6:2] & 0x1fff = 0 and not port 53",
	"icmp6 or (greater 64 and tcp dst port 8080) or (ip[6:2] & 0x1fff = 0 and tcp)", "ip[9] = 6 or proto 6",
	"(net 10.0.0.0/8 and (tcp port 80 or udp port 53)) or (ip[6:2] & 0x1fff = 0 and not port domain)",
	"ip protochain 6", "not ip protochain 6", "ip6 protochain 6", "not ip6 protochain 17", "protochain 17 or host 10.0.0.1",
	"net fd00::/8 or protochain 6", "net ::/0 or ip protochain 6", "port 80 and ip6 protochain 6",
	"vlan and host 10.0.0.1", "mpls 16 and ip6", "pppoes 7 and not tcp", "not vlan 5 and not arp", "icmp6[0] = 135",
	"ether multicast or arp", "ip proto 44", "ip6 proto 44", "llc and not stp", "decnet src 1.2",

	// What the optimizer of libpcap moves, and sees, in one round or another.
	"host 192.168.7.9 or not src and dst host 10.0.1.1", "port 8080 or not dst and src port 5353",
	"port ssh or (not src and dst port 53)", "less 41 and port http or host 0.0.0.0 or 172.16.0.1",
	"portrange 0-65535 or host 10.0.0.2 and 10.0.0.2 or 10.0.0.1", "not port 80 or portrange 80-80",
	"port 443 and portrange 80-80 or host ::1", "esp or ether host ff:ff:ff:ff:ff:ff and net ::1 or not ip",
	"(host ::1 or port 8080 and arp) or udp", "pim or not rarp and pim", "(host ::1 or sctp) and arp or not port 53",
	"net 0.0.0.0/8 or 10.0.0.0/8", "ah or net 0.0.0.0/16 or tcp", "vlan 0 or vlan 5", "net ::/0", "net fd00::/64",
	"(ip[9] = 6 and ah) or (dst net 172.16.0.0/16 and tcp) or host 172.16.0.1", "ip[9] = 6 or ip[9] = 17 or udp",
	"(not port 5353) or (ip[6:2] & 0x1fff = 0 and not port ssh)", "ip[0] & 2 & 0x10 != 80", "not tcp[1] & 0x10 & 5 >= 2",
	"tcp[13] & 2 != 0 or tcp[13] & 2 = 2", "ether proto \\stp or len >= len", "host 10.0.0.1 or 5 & 3 < 255",
	"host 10.0.0.1 and 7 < 5 or udp", "6 = 17 and arp or tcp", "1 = 1 and ip or arp", "ip and 1 > 2 or tcp",
	"dst port not 80 or not 8080 and greater 0", "(icmp[4]) & 0 < len or protochain 255", "len > 80 or less 80",
	"geneve", "geneve 5", "geneve and tcp", "not (geneve and sctp and src host 10.0.0.1)", "geneve and not (ip6 proto 6 or tcp)",
	"geneve 5 and not (host ::1 and arp)", "ip6 or ip and geneve and not port (443 and (5353 or 80))", "l1 or l2", "snp and not csnp", "decnet host 1.2 or lat",

	// Lists of which the first operand is looked at before the others.
	"portrange 80-90 or 100-110 or 443-444 or 8000-9000 or 53-54", "net 10.0.0.0/24 or 192.168.0.0/16 or 10.0.1.0/24 or 172.16.0.0/12 or 10.0.2.0/24",
	"not portrange 80-90 and not portrange 1-2 and not portrange 3-4 and not portrange 5-6 and not portrange 7-8",
	"host fd00::1 or fd00::2 or fd00::3 or fd00::4 or fd00::5", "port 443 or 81 or 26048 or 443 or 53 and not src port 50447",
	"(port 4 or 443 or 48526 or 16126 or 53) and port 443", "src port 1 or 80 or 2 or 443 or 3 and not dst port 80",
	"geneve and (port 80 or 90 or 100 or 443 or 8080) and not (dst port 53 or 54 or 55 or 56 or 57 or 58)",
}

// TestTruncated compares verdicts on packets that are cut to every length with
// those of libpcap's optimized program. They are the same for the expressions
// above; of random ones, one in a thousand may be an exception.
func TestTruncated(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for i, lt := range []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2} {
		r := rand.New(rand.NewPCG(95, uint64(i)))
		s := linguist{sentencer{r}, lt}
		whole, _ := packetsOf(lt, r)
		r.Shuffle(len(whole), func(i, j int) { whole[i], whole[j] = whole[j], whole[i] })
		whole = whole[:min(len(whole), amount(50))]
		exprs := sample(truncatedExprs, 2)
		fixed := len(exprs)
		for range amount(12) {
			exprs = append(exprs, s.sensible(), realist{s.sentencer}.sentence(), s.sentencer.sentence(2), s.sentence(1))
		}
		compared, same := 0, 0
		for n, j := range judge(lt, exprs, patience()) {
			p, err := CompileOptions(j.expr, lt, asTcpdump)
			if errors.Is(err, ErrNeverMatches) {
				p, err = &Program{Insns: []bpf.RawInstruction{{Op: opReturnK}}}, nil
			}
			if err != nil || j.err != nil && j.err != errRejectsAll {
				continue // the link type has no such field
			}
			compared++
			if got, ok := differsWhenCut(lt, p, j, whole); ok {
				same++
			} else if n < fixed {
				t.Errorf("%v %q on %d bytes %x: differs from tcpdump's\n%s", lt, j.expr, len(got), got, p.Dump())
			} else {
				t.Logf("%v differs on %d bytes: %s", lt, len(got), j.expr)
			}
		}
		t.Logf("%v: %d of %d expressions have the same verdicts on %d packets of every length", lt, same, compared, len(whole))
		if same < compared-1-compared/1000 {
			t.Errorf("%v: %d expressions differ", lt, compared-same)
		}
	}
}

// differsWhenCut returns a packet on which p and libpcap's optimized program
// differ. It is ok if there is none, or if libpcap's unoptimized program agrees
// with p wherever the optimized one does not.
func differsWhenCut(lt LinkType, p *Program, j judged, whole [][]byte) (pkt []byte, ok bool) {
	rejects := j.err == errRejectsAll
	for _, pkt := range whole {
		if strings.Contains(j.expr, "protochain") && beginsWithAH(lt, pkt) {
			continue // libpcap can look for the next header for ever
		}
		for n := range min(len(pkt), 110) {
			cut := pkt[:n]
			got := userland(p, cut) > 0 // it shifts as where libpcap's run
			if got == (!rejects && userland(j.optimized, cut) > 0) {
				continue
			}
			if got != (userland(j.plain, cut) > 0) {
				return cut, false
			}
		}
	}
	return nil, true
}
