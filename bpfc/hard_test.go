package bpfc

import (
	"os/exec"
	"strings"
	"testing"
)

// hard are expressions for which a program easily becomes larger than
// libpcap's: long lists that contradict each other, tests of what is known on
// some ways only, and headers in several places.
const hard = `
ip6 proto 132 or 17 or \tcp
ip6 proto 58 or \icmp
udp src and dst port 8080 and (igmp) or udp dst portrange 80-80 && 0-65535 and udp
esp || src or dst port 80 or not 443 or src net fd00::1 || ! dst net (::/0) or (src and dst port http or 443) and net 2000::/3
vlan and pppoes and (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn or (portrange 14501-16450 or 7361-7629 or 54986-56565 or 54272-54441) and port 8080)
tcp portrange 51650-53226 or (not portrange 9769-11093 and (not udp port 15483) and (port 36369 or 80 or 52292 or 51561) and net 20.88.170.0/24)
geneve or tcp
geneve or ip
geneve 5 or net 10.0.0.0/8 or 172.16.0.0/12 or 192.168.0.0/16
not geneve and (less 100 and (dst net 172.16.0.0/12 or 10.56.0.0/16 or 2001:db8::/32))
geneve 5 and udp or port 53
tcp or geneve and host 10.0.0.1
host 10.0.0.1 or geneve 5 and (udp port 53 or arp)
geneve and vlan or (dst host 10.3.194.106 or 10.2.251.236)
geneve 5 and (udp port 81 or byte 15 = 2 or (llc ui) or llc)
geneve 5 and geneve and (ether host 02:00:00:00:00:09 or ((port 17124 or 53 or 81 or 35417 or 443 or 82) or src and dst host 192.168.7.9 and udp portrange 3481-3678 and arp) or (ip6 proto 6 or ip[12:4] = ip[16:4]) or arp)
(geneve and vlan and (icmp6[0] = 135)) or (mpls and mpls and (src host 10.0.0.1 or 10.1.169.235))
`

// TestHardSizes checks that no program is larger than libpcap's by more than a
// tenth.
func TestHardSizes(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for expr := range strings.SplitSeq(strings.TrimSpace(hard), "\n") {
		theirs, err := tcpdump(expr, true)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		p, err := CompileOptions(expr, Ethernet, asTcpdump)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if ours, most := len(p.Insns), len(theirs.Insns)*11/10; ours > most {
			t.Errorf("%q: %d instructions, tcpdump's %d", expr, ours, len(theirs.Insns))
		}
	}
}
