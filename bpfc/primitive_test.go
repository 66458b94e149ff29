package bpfc

import "testing"

const (
	a4, b4, c4 = "10.0.0.1", "10.0.0.2", "192.168.7.9"
	a6, b6, c6 = "fd00::1", "fd00::2", "2001:db8::3"
)

// packets are those of the table below, by name.
var packets = map[string][]byte{
	"tcp4":      tcp4(a4, b4, 40000, 80),
	"tcp4back":  tcp4(b4, a4, 80, 40000),
	"udp4":      udp4(a4, c4, 5353, 53),
	"sctp4":     ip4{proto: protoSCTP, src: a4, dst: b4}.packet(ports(80, 443)),
	"icmp4":     ip4{proto: protoICMP, src: a4, dst: b4}.packet(ports(80, 80)),
	"igmp4":     ip4{proto: protoIGMP, src: a4, dst: b4}.packet(nil),
	"options4":  ip4{proto: protoTCP, src: a4, dst: b4, options: 12}.packet(ports(1, 80)),
	"first4":    ip4{proto: protoTCP, src: a4, dst: b4, fragment: 0x2000}.packet(ports(1, 80)),
	"later4":    ip4{proto: protoTCP, src: a4, dst: b4, fragment: 0x0010}.packet(ports(1, 80)),
	"tcp6":      tcp6(a6, b6, 40000, 80),
	"udp6":      ip6{next: protoUDP, src: a6, dst: c6}.packet(ports(53, 5353)),
	"icmp6":     ip6{next: protoICMP6, src: a6, dst: b6}.packet(ports(80, 80)),
	"fragment6": fragment6(protoTCP, a6, b6),
	"icmpIn6":   ip6{next: protoICMP, src: a6, dst: b6}.packet(nil),
	"arp":       arp(etherARP, a4, b4),
	"rarp":      arp(etherRARP, a4, b4),
	"llc":       ethernet(60, append([]byte{0x42, 0x42, 3}, make([]byte, 57)...)),
	"netbios":   ethernet(60, append([]byte{0xf0, 0xf0, 3}, make([]byte, 57)...)),
	"short":     {1, 2, 3},
	"empty":     {},
}

// everyFrame is all packets that have a whole Ethernet header.
var everyFrame = []string{
	"tcp4", "tcp4back", "udp4", "sctp4", "icmp4", "igmp4", "options4", "first4",
	"later4", "tcp6", "udp6", "icmp6", "fragment6", "icmpIn6", "arp", "rarp",
	"llc", "netbios",
}

var ip4Frames = []string{
	"tcp4", "tcp4back", "udp4", "sctp4", "icmp4", "igmp4", "options4", "first4", "later4",
}

func TestPrimitives(t *testing.T) {
	except := func(all []string, not ...string) (rest []string) {
		for _, n := range all {
			found := false
			for _, x := range not {
				found = found || n == x
			}
			if !found {
				rest = append(rest, n)
			}
		}
		return rest
	}
	tests := []struct {
		expr string
		want []string // the packets that match
	}{
		{"", append([]string{"short"}, everyFrame...)},
		{"ip", ip4Frames},
		{"ip6", []string{"tcp6", "udp6", "icmp6", "fragment6", "icmpIn6"}},
		{"arp", []string{"arp"}},
		{"rarp", []string{"rarp"}},
		{"not ip and not ip6", []string{"arp", "rarp", "llc", "netbios"}},
		{"tcp", []string{"tcp4", "tcp4back", "options4", "first4", "later4", "tcp6", "fragment6"}},
		{"udp", []string{"udp4", "udp6"}},
		{"sctp", []string{"sctp4"}},
		{"icmp", []string{"icmp4"}},
		{"icmp6", []string{"icmp6"}},
		{"igmp", []string{"igmp4"}},
		{"ip proto 6", []string{"tcp4", "tcp4back", "options4", "first4", "later4"}},
		{`ip proto \tcp`, []string{"tcp4", "tcp4back", "options4", "first4", "later4"}},
		{"ip6 proto 6", []string{"tcp6", "fragment6"}},
		{"proto 1", []string{"icmp4", "icmpIn6"}},
		{"proto gre or esp or ah or pim or vrrp or carp or igrp", nil},
		{"ether proto 0x806", []string{"arp"}},
		{`ether proto \ip6`, []string{"tcp6", "udp6", "icmp6", "fragment6", "icmpIn6"}},
		{"ether proto 0x42", []string{"llc"}},
		{"ether proto 0xf0", []string{"netbios"}},

		{"host 10.0.0.1", append(except(ip4Frames), "arp", "rarp")},
		{"src host 10.0.0.1", append(except(ip4Frames, "tcp4back"), "arp", "rarp")},
		{"src 10.0.0.2", []string{"tcp4back"}},
		{"dst 192.168.7.9", []string{"udp4"}},
		{"ip host 10.0.0.2", except(ip4Frames, "udp4")},
		{"arp host 10.0.0.2", []string{"arp"}},
		{"rarp src host 10.0.0.1", []string{"rarp"}},
		{"src or dst host 10.0.0.2", append(except(ip4Frames, "udp4"), "arp", "rarp")},
		{"src and dst host 10.0.0.2", nil},
		{"host 10.0.0.2 or 192.168.7.9", append(except(ip4Frames), "arp", "rarp")},
		{"host 10.0.0.1 and 192.168.7.9", []string{"udp4"}},
		{"host fd00::2", []string{"tcp6", "icmp6", "fragment6", "icmpIn6"}},
		{"dst 2001:db8::3", []string{"udp6"}},
		{"ip6 host fd00::1 and not fd00::2", []string{"udp6"}},
		{"ether host 02:00:00:00:00:0a", everyFrame},
		{"ether src 02:00:00:00:00:0a", everyFrame},
		{"ether dst 02:00:00:00:00:0a", nil},
		{"ether src or dst 2:0:0:0:0:b", everyFrame},

		{"net 10", append(except(ip4Frames), "arp", "rarp")},
		{"net 192.168", []string{"udp4"}},
		{"net 192.168.0.0/12", []string{"udp4"}},
		{"net 192.168.7.0 mask 255.255.255.0", []string{"udp4"}},
		{"src and dst net 10.0/16", append(except(ip4Frames, "udp4"), "arp", "rarp")},
		{"ip dst net 192.0.0.0/8", []string{"udp4"}},
		{"net fd00::/8", []string{"tcp6", "udp6", "icmp6", "fragment6", "icmpIn6"}},
		{"dst net 2001:db8::/32", []string{"udp6"}},
		{"net ::/0", []string{"tcp6", "udp6", "icmp6", "fragment6", "icmpIn6"}},
		{"net 0.0.0.0/0", append(except(ip4Frames), "arp", "rarp")},

		{"port 80", []string{"tcp4", "tcp4back", "sctp4", "options4", "first4", "tcp6"}},
		{"tcp port 80", []string{"tcp4", "tcp4back", "options4", "first4", "tcp6"}},
		{"tcp src port 80", []string{"tcp4back"}},
		{"dst port 80", []string{"tcp4", "options4", "first4", "tcp6"}},
		{"udp port 53", []string{"udp4", "udp6"}},
		{"port domain", []string{"udp4", "udp6"}},
		{"port http", []string{"tcp4", "tcp4back", "options4", "first4", "tcp6"}},
		{"sctp src port 80", []string{"sctp4"}},
		{"src and dst port 80", nil},
		{"port 53 or 443", []string{"udp4", "udp6", "sctp4"}},
		{"port (53 or 443)", []string{"udp4", "udp6", "sctp4"}},
		{"port 53 and 5353", []string{"udp4", "udp6"}},
		{"portrange 50-60", []string{"udp4", "udp6"}},
		{"portrange 60-50", []string{"udp4", "udp6"}},
		{"udp dst portrange 53", []string{"udp4"}},
		{"tcp portrange 80-443", []string{"tcp4", "tcp4back", "options4", "first4", "tcp6"}},
		{"portrange domain-http", []string{
			"udp4", "udp6", "tcp4", "tcp4back", "sctp4", "options4", "first4", "tcp6"}},
		{"tcp and not port 80", []string{"later4", "fragment6"}},

		// "and" and "or" have the same precedence.
		{"arp or rarp and host 10.0.0.2", []string{"arp", "rarp"}},
		{"host 10.0.0.2 and arp or rarp", []string{"arp", "rarp"}},
		{"arp or ip and udp", []string{"udp4"}},
		{"arp or (ip and udp)", []string{"arp", "udp4"}},
		{"not arp and not ip6 and not ip", []string{"rarp", "llc", "netbios"}},
		{"!(ip||ip6)&&!arp", []string{"rarp", "llc", "netbios"}},

		{"less 13", []string{"short"}},
		{"greater 1000", nil},
		{"less 0", nil},
		{"greater 0", append([]string{"short"}, everyFrame...)},
	}
	for _, tt := range tests {
		p, err := CompileOptions(tt.expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		want := make(map[string]bool)
		for _, name := range tt.want {
			want[name] = true
		}
		for name, pkt := range packets {
			if got := p.Match(pkt, len(pkt)) > 0; got != want[name] {
				t.Errorf("%q on %s: got %v, want %v", tt.expr, name, got, want[name])
			}
		}
	}
}
