package bpfc

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		expr string
		want string
	}{
		{"", "(empty)  every packet\n"},
		{"tcp", "tcp  TCP packets\n"},
		{"tcp port 80 or 443 and not src net 10.0.0.0/8", `
and
  or
    tcp port 80         source or destination port 80 of TCP
    443                 source or destination port 443 of TCP
  not
    src net 10.0.0.0/8  source address in network 10.0.0.0/8 of IPv4, ARP or RARP
`},
		{"dst host (10.0.0.1 or fd00::1)", `
dst host
  or
    10.0.0.1  destination address 10.0.0.1 of IPv4, ARP or RARP
    fd00::1   destination address fd00::1 of IPv6
`},
		{"ip proto 6", "ip proto 6  IPv4 carries protocol 6\n"},
		{"less 100 or greater 1000", `
or
  less 100      at most 100 bytes long
  greater 1000  at least 1000 bytes long
`},
		{"tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] & tcp-syn != 0  compares a byte at offset tcpflags of the header of TCP & tcp-syn and 0\n"},
		{"ip[2:2] > len - 14", "ip[2 : 2] > len - 14  compares 2 bytes at offset 2 of the header of IPv4 and the length of the packet - 14\n"},
		{"vlan 5 and ip broadcast", `
and
  vlan 5        inside VLAN; all that follows is about what is inside
  ip broadcast  addressed to IPv4 broadcast
`},
		{"inbound", "inbound  received by this host\n"},
	} {
		got, err := Explain(tt.expr)
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		if want := strings.TrimPrefix(tt.want, "\n"); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", tt.expr, got, want)
		}
	}
	if _, err := Explain("tcp prot 80"); err == nil {
		t.Error("a faulty expression is explained")
	}
}

// Every expression that parses is explained: each of its parts has a line.
func FuzzExplain(f *testing.F) {
	f.Add("tcp port 80 or 443 and not src net 10.0.0.0/8")
	f.Add("vlan 5 and (ip[2:2] > len - 14 or llc)")
	f.Fuzz(func(t *testing.T, expr string) {
		if _, err := Parse(expr); err != nil {
			return
		}
		if s, err := Explain(expr); err == nil && s == "" {
			t.Errorf("%q has no explanation", expr)
		}
	})
}
