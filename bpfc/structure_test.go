package bpfc

import (
	"os/exec"
	"testing"
)

// primitives are one or more of each kind.
var primitives = []string{
	"ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp",
	"host 1.2.3.4", "src host 1.2.3.4", "src and dst host 1.2.3.4", "arp host 1.2.3.4", "not host 1.2.3.4",
	"host 1.2.3.4 or 5.6.7.8", "net 10.0.0.0/8", "src net 10.0.0.0/8", "ip net 10.0.0.0/8", "net 0.0.0.0/0",
	"host fd00::1", "src host fd00::1", "src and dst host fd00::1", "net fd00::/8", "net fd00:1::/40", "net ::/0",
	"port 80", "src port 80", "src and dst port 80", "tcp port 80", "udp src or dst port 80", "portrange 80-90",
	"src portrange 80-90", "portrange 80-80", "portrange 80", "portrange 0-65535", "proto 6", "ip proto 6", "ip6 proto 44",
	"ether proto 0x800", "ether proto 0x42", "ether proto 0xe0", "ether proto 0xf0", "iso proto 5", "isis proto 5",
	"ether host 1:2:3:4:5:6", "ether src and dst 1:2:3:4:5:6", "broadcast", "multicast", "ip multicast", "ip6 multicast",
	"ip broadcast", "stp", "ipx", "netbeui", "iso", "clnp", "esis", "isis", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp",
	"atalk", "aarp", "decnet", "lat", "moprc", "decnet src 1.2", "decnet host 1.2", "llc", "llc i", "llc s", "llc u",
	"llc rr", "llc ui", "vlan", "vlan 5", "vlan and vlan", "vlan and host 1.2.3.4", "mpls", "mpls 16", "mpls and mpls and tcp",
	"pppoed", "pppoes 7", "pppoes and ip", "less 64", "greater 64", "len > 5", "len = 5", "len != 5", "1 = 1", "1 > 2",
	"ip[0] = 5", "ip[0] & 1 != 0", "tcp[13] & 2 != 0", "udp[4:2] > 5", "icmp6[0] = 135", "ether[0] & 1 != 0",
	"ip[ip[0]] = ip[1]", "(ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2) != 0", "byte 5 < 3", "byte 5 & 3",
}

// TestTestsOfPrimitives checks that formulas have as many tests as libpcap's
// programs that are not optimized. Where its optimizer leads what is left
// depends on that.
func TestTestsOfPrimitives(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, lt := range []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2} {
		for _, expr := range sample(primitives, 2) {
			theirs, err := tcpdumpOf(lt, expr, false)
			if err != nil {
				continue // the link type has no such field
			}
			c, err := newCompilation(expr, lt, asTcpdump)
			if err != nil {
				t.Errorf("%v %q: %v", lt, expr, err)
				continue
			}
			want := 0
			for _, ins := range theirs.Insns {
				if ins.Op&classMask == classJump && ins.Op&jumpMask != jumpAlways {
					want++
				}
			}
			if got := testsIn(c.formula, maxBlocks); got != want {
				t.Errorf("%v %q: %d tests, libpcap has %d", lt, expr, got, want)
			}
		}
	}
}
