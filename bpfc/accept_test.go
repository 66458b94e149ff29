package bpfc

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// accepted are expressions that libpcap accepts, a line each. They are
// corners of the language: what a word is, what binds to what, what is
// inherited.
const accepted = `
ip
ip6
link host 1:2:3:4:5:6
ether host 00-11-22-33-44-55
ether host 0011.2233.4455
ether host 00.11.22.33.44.55
ether host 001122334455
ether dst ff:ff:ff:ff:ff:ff
ether src or dst 0:1:2:3:4:5
ether src 0:1:2:3:4:5 or 1:2:3:4:5:6
ether proto 0x0800
ether proto \arp
ether proto \ip or \arp
ether proto 1501
ether proto 0xfe
ether proto 0
ip proto 6
ip proto \tcp or 17
ip proto (6 or 17)
ip6 proto 58
ip6 proto 44
proto 6 or 17
proto \udp
proto gre
host 10
host 10.1
host 10.1.2
host 10.1.2.3
src 10
src 10.0.0.1
dst 80
ip src 10.0.0.1
arp src host 1.2.3.4
rarp host 1.2.3.4
arp net 10.0.0.0/8
net 10
net 10.0
net 10.0.0
net 10.0.0.1
net 10/16 or 10.0.0.0/8
net 0
net 0.0/8
net 256
net 300
net 65536
net 16777216
net 4294967295
net 1.2.3/24
net 10.0/16
net 10.0.0.0/32
net 10.1.0.0 mask 255.255.0.0
net 10.1 mask 255.255
net 1.0.3.0 mask 255.0.255.0
net 10 or 11
net 10.0.0.0/8 or 11.0.0.0/8
net ::1
net ::/0
net fd00:1::/32
net fe80::/10
src net fd00::/8
src and dst net 2001:db8::/33
ip6 net 2001:db8::/127
host ::1
src ::1/128
host ::ffff:1.2.3.4
host 10.0.0.1 or ::1
host (10.0.0.1 or 10.0.0.2)
host (10.0.0.1 or not 10.0.0.2)
host \80
src \0x0a000001 or \012
host 10.0.0.1 and 10.0.0.2
src host 1.1.1.1 or dst 2.2.2.2
src 1.2.3.4 or not (5.6.7.8) and 1.1.1.1
port 0
port 65535
port 0x50
port 0120
port http
port domain or ssh
port ssh or http
port 80 or 443
port 80 or not 443
port (80 or 443)
port (80 or 443) or 90
port (80 or (443 and 90))
port ((80))
port !80
port not 80
port (not 80)
port 80 or (443)
port 80 and port 443
not port 80 and 443
port 80 and not 443
tcp port 80 or 443
tcp src port 80
tcp src or dst port 80
udp src and dst port 53
dst or src port 80
dst and src port 80
sctp port 80
src port 80 or dst 10.0.0.1
portrange 80
portrange 80-90
portrange 90-80
portrange 80-80
portrange 0-65535
portrange 1-65535
portrange 0-0
portrange http-https
portrange http-443
portrange domain-http
tcp portrange 80-90 or 100-110
src portrange 1-1023 and dst portrange 1024-65535
tcp or udp port 80
tcp and port 80 or 443
tcp and (port 80)
tcp or udp and port 53
tcp or (udp and port 53)
ip && tcp || udp
ip&&tcp||udp
!ip
! ip
!!ip
not not not ip
not(ip)
((ip))
(tcp or udp) and (port 53 or port 80)
less 0
less 100
greater 0
greater 100
greater 0x10 and less 0100
ah or esp or pim or igrp or vrrp or carp
igmp or icmp or icmp6
`

// TestAccepted compares verdicts for each line with those of libpcap.
func TestAccepted(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	pkts, _ := corpus(rand.New(rand.NewPCG(25, 26)))
	for expr := range strings.SplitSeq(strings.TrimSpace(accepted), "\n") {
		theirs, err := tcpdump(expr, true)
		if err != nil {
			if _, ours := Compile(expr, Ethernet, 0); ours == nil {
				t.Errorf("%q: compiled, but %v", expr, err)
			}
			continue
		}
		p, err := CompileOptions(expr, Ethernet, Options{StrictCIDR: true})
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		for _, pkt := range pkts {
			compare(t, expr, pkt, p.Match(pkt, len(pkt)), theirs.Match(pkt, len(pkt)))
		}
		if len(p.Insns) > len(theirs.Insns)+8 {
			t.Errorf("%q: %d instructions, tcpdump has %d", expr, len(p.Insns), len(theirs.Insns))
		}
	}
}

// TestEmbeddedServices checks that what both know as a service is the same
// port of the same protocols for both. The table of libpcap is that of the
// machine, so a few can differ from one distribution to the next.
func TestEmbeddedServices(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	pkts, _ := corpus(rand.New(rand.NewPCG(27, 28)))
	known, differ := 0, 0
	for _, s := range sample(services[:], 4) {
		theirs, err := tcpdump("port "+s.name, true)
		if err != nil {
			continue // this machine's table has no such service
		}
		known++
		p, err := CompileOptions("port "+s.name, Ethernet, Options{})
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		own := append(pkts, tcp4(a4, b4, 1, s.port), udp4(a4, b4, s.port, 1), tcp6(a6, b6, s.port, 1))
		for _, pkt := range own {
			if p.Match(pkt, len(pkt)) != theirs.Match(pkt, len(pkt)) {
				t.Logf("%s differs from tcpdump's", s.name)
				differ++
				break
			}
		}
	}
	t.Logf("tcpdump knows %d of %d services", known, len(services))
	if differ > known/8 {
		t.Errorf("%d services differ", differ)
	}
}
