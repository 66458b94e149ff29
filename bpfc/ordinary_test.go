package bpfc

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// ordinary are filters as people write them, a line each.
const ordinary = `
ip
ip6
arp
tcp
udp
sctp
icmp
icmp6
igmp
tcp or udp
tcp or icmp
udp or icmp
icmp or icmp6
not arp
not icmp
not ip6
not tcp
not udp
ip and tcp
ip and udp
ip6 and tcp
ip6 and udp
ip6 and icmp6
ip and not icmp
not arp and not icmp
not arp and not icmp and not icmp6
arp or icmp
arp or rarp
arp or icmp or icmp6
arp and host 192.168.1.1
port 80
port 53
port 443
not port 22
not port 22 and not port 53
not (port 22 or port 53)
tcp port 22
tcp port 80
udp port 53
sctp port 80
port 80 or port 443
port 80 or 443
tcp port 80 or tcp port 443
tcp port 80 or 443
tcp port (80 or 443 or 8080)
port 67 or port 68
udp port 67 or udp port 68
udp port 67 or 68
udp and port 53
tcp and port 80
tcp and (port 80 or port 443)
tcp and not port 22
tcp and not port 22 and not port 80
tcp and (port 20 or port 21)
src port 53
dst port 53
tcp src port 80
tcp dst port 80
udp dst port 514
udp src port 123
tcp dst port 22 or 23
dst port 80 or 81 or 82
udp dst port 5060 or 5061
tcp dst port 80 or 443 or 8080 or 8443
src port 1024 and dst port 80
src and dst port 123
portrange 6000-6063
tcp portrange 6000-6063
tcp portrange 1-1023
udp portrange 33434-33534
dst portrange 8000-8999
tcp dst portrange 8000-8080
udp dst portrange 16384-32767
src portrange 1024-65535
not portrange 1-1023
host 10.0.0.1
src host 10.0.0.1
dst host 10.0.0.1
src 10.0.0.1
dst 10.0.0.1
ip host 10.0.0.1
ip src 10.0.0.1
not host 10.0.0.1
not src host 10.0.0.1
host 10.0.0.1 or host 10.0.0.2
host 10.0.0.1 or 10.0.0.2
host 10.0.0.1 and host 10.0.0.2
host 10.0.0.1 and 10.0.0.2
host 10.0.0.1 and not host 10.0.0.2
host 10.0.0.1 and (10.0.0.2 or 10.0.0.3)
host 10.0.0.1 and not 10.0.0.2
src host 10.0.0.1 and dst host 10.0.0.2
src 10.0.0.1 or dst 10.0.0.2
src or dst host 10.0.0.1
ip host 10.0.0.1 and not 10.0.0.2
host 10.0.0.1 and icmp
host 10.0.0.1 and tcp
host 10.0.0.1 and port 80
host 10.0.0.1 and tcp port 80
host 10.0.0.1 and udp port 53
host 10.0.0.1 and not port 22
host 10.0.0.1 and (port 80 or port 443)
host 10.0.0.1 and tcp and (port 80 or 443)
src host 10.0.0.1 and tcp dst port 80
src host 10.0.0.1 and dst port 443
dst host 10.0.0.1 and udp port 514
src 10.0.0.1 and src port 80
src 10.0.0.1 and src port 80 or dst 10.0.0.1 and dst port 80
tcp and host 10.0.0.1 and port 80
tcp and src 10.0.0.1 and dst port 443
udp and host 10.0.0.1
icmp and host 10.0.0.1
icmp and src 10.0.0.1
net 10.0.0.0/8
net 192.168.0.0/16
net 192.168.1.0/24
src net 10.0.0.0/8
dst net 10.0.0.0/8
net 10
net 192.168.1
not net 10.0.0.0/8
src net 10.0.0.0/8 and dst net 192.168.0.0/16
src net 10.0.0.0/8 and not dst net 10.0.0.0/8
net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16
src net 10.0.0.0/8 or 172.16.0.0/12 or 192.168.0.0/16
not (net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16)
dst net 224.0.0.0/4
net 10.0.0.0/24 and port 80
net 10.0.0.0/24 and tcp port 80
net 10.0.0.0/24 and not port 22
src net 10.0.0.0/24 and tcp dst port 443
net 10.1.0.0/16 and tcp and not port 22
host fd00::1
src host fd00::1
dst host fd00::1
host fd00::1 or fd00::2
net fd00::/8
net 2001:db8::/32
net fe80::/10
src net fd00::/64
ip6 net 2001:db8::/64
host 10.0.0.1 or host fd00::1
host fd00::1 and tcp port 443
net 2001:db8::/32 and port 53
ether host 02:00:00:00:00:0a
ether src 02:00:00:00:00:0a
ether dst ff:ff:ff:ff:ff:ff
ether host 02:00:00:00:00:0a and ip
ether src 02:00:00:00:00:0a or ether src 02:00:00:00:00:0b
not ether host 02:00:00:00:00:0a
ether proto 0x0800
ether proto 0x88cc
ip proto 6
ip proto 47
ip proto 50 or ip proto 51
esp or ah
udp port 500 or udp port 4500
udp port 500 or 4500 or esp
udp port 500 or udp port 4500 or ip proto 50
less 64
greater 1000
tcp and greater 100
port 80 and greater 500
tcp port 80 and less 200
(tcp or udp) and port 53
(tcp or udp) and host 10.0.0.1
tcp or udp and port 53
tcp port 80 or udp port 53
tcp port 80 or udp port 53 or icmp
port 53 or icmp or arp
port 53 or port 67 or port 68 or arp
host 10.0.0.1 and tcp port 80 or udp port 53
host 10.0.0.1 and not (port 22 or port 80)
ip and not net 10.0.0.0/8
ip and (tcp or udp)
udp and not port 53
udp and not port 53 and not port 123
udp portrange 10000-20000 and host 10.0.0.1
udp port 5060 or udp portrange 10000-20000
src host 10.0.0.1 and (tcp dst port 80 or udp dst port 53)
not host 10.0.0.1 and not port 22
not (host 10.0.0.1 and tcp port 22)
not (src 10.0.0.1 and port 22)
not tcp port 22
not (tcp port 22 or tcp port 3389)
tcp port 3306 or 5432 or 6379 or 27017
host 10.0.0.1 or 10.0.0.2 or 10.0.0.3 or 10.0.0.4
host 10.0.0.1 or 10.0.0.2 or 10.0.0.3 and port 80
src 10.0.0.1 or 10.0.0.2 or 10.0.0.3 or 10.0.0.4 or 10.0.0.5 or 10.0.0.6
port 20 or 21 or 22 or 23 or 25 or 53 or 80 or 110 or 143 or 443
port http
port domain
tcp port ssh
port ssh or port domain
udp port ntp
pim
vrrp
ah
esp
`

// TestOrdinarySizes compares verdicts, sizes in sum and one by one, and how many
// instructions are executed: for packets of which as many are IPv6 as IPv4, and
// for such as networks have.
func TestOrdinarySizes(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	pkts, _ := corpus(rand.New(rand.NewPCG(29, 30)))
	usual := newRealist(5).traffic(200)
	var s, onUsual sizes
	for expr := range strings.SplitSeq(strings.TrimSpace(ordinary), "\n") {
		theirs, err := tcpdump(expr, true)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		for _, pkt := range pkts {
			compare(t, expr, pkt, p.Match(pkt, len(pkt)), theirs.Match(pkt, len(pkt)))
		}
		s.add(expr, p, theirs, pkts)
		onUsual.add(expr, p, theirs, usual)
	}
	s.log(t)
	onUsual.log(t)
	onUsual.judge(t, 0.97)
	if float64(s.oursRun) > 0.99*float64(s.theirsRun) {
		t.Error("programs are slower than tcpdump's")
	}
}
