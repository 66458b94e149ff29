package bpfc

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

func TestNotes(t *testing.T) {
	tests := []struct {
		expr string
		want []Note
	}{
		{"net 10.0.0.0/8", nil},
		{"net 192.168.0.0/12", []Note{{4, 18, "192.168.0.0/12 -> 192.160.0.0/12"}}},
		{"tcp and src net 10.1/8", []Note{{16, 22, "10.1/8 -> 10.0.0.0/8"}}},
		{"net 10.0.0.1 mask 255.0.0.0", []Note{
			{4, 27, "10.0.0.1 mask 255.0.0.0 -> 10.0.0.0 mask 255.0.0.0"}}},
		{"net fd00::1/8", []Note{{4, 13, "fd00::1/8 -> fd00::/8"}}},
		{"net 10.1.1.1/8 or 11.1.1.1/8", []Note{
			{4, 14, "10.1.1.1/8 -> 10.0.0.0/8"}, {18, 28, "11.1.1.1/8 -> 11.0.0.0/8"}}},
		{"net 10.0.0.0/0", []Note{{4, 14, "10.0.0.0/0 -> 0.0.0.0/0"}}},
	}
	for _, tt := range tests {
		p, err := CompileOptions(tt.expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		if !slices.Equal(p.Notes, tt.want) {
			t.Errorf("%q: got %v, want %v", tt.expr, p.Notes, tt.want)
		}
		_, err = CompileOptions(tt.expr, Ethernet, Options{StrictCIDR: true})
		var e *Error
		if tt.want == nil && err != nil || tt.want != nil &&
			(!errors.As(err, &e) || e.Kind != KindRange || e.Pos != tt.want[0].Pos) {
			t.Errorf("%q: strict: got %v", tt.expr, err)
		}
	}
}

// A hosts is a resolver for tests.
type hosts struct{}

func (hosts) Hosts(name string) []netip.Addr {
	switch name {
	case "both":
		return []netip.Addr{netip.MustParseAddr(a4), netip.MustParseAddr(a6)}
	case "mapped":
		return []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1")}
	}
	return nil
}

func (hosts) Networks(name string) []netip.Prefix {
	if name == "pods" {
		return []netip.Prefix{netip.MustParsePrefix("10.0.0.7/24")}
	}
	return nil
}

func (hosts) Services(name string) []Service {
	switch name {
	case "http":
		return []Service{{protoTCP, 8080}}
	case "twice":
		return []Service{{protoTCP, 80}, {protoUDP, 80}}
	}
	return nil
}

func (hosts) Protocol(name string) (uint8, bool) { return 99, name == "mine" }

func (hosts) Ether(name string) ([6]byte, bool) { return macA, name == "nic" }

// TestResolver compares names with what they stand for.
func TestResolver(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"host both", "host 10.0.0.1 or fd00::1"},
		{"src both and tcp", "src (10.0.0.1 or fd00::1) and tcp"},
		{"ip host both", "ip host 10.0.0.1"},
		{"ip6 host both", "ip6 host fd00::1"},
		{"host mapped", "host 10.0.0.1"},
		{"net pods", "net 10.0.0.0/24"},
		{"port http", "tcp port 8080"},
		{"port ssh", "tcp port 22"},
		{"port twice", "port 80"},
		{"portrange http-8090", "portrange 8080-8090"},
		{"ip proto mine", "ip proto 99"},
		{`ip proto \udp`, "ip proto 17"},
		{"ether src nic", "ether src 02:00:00:00:00:0a"},
	}
	for _, tt := range tests {
		got, err := CompileOptions(tt.expr, Ethernet, Options{Resolver: hosts{}})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		want, err := CompileOptions(tt.want, Ethernet, Options{})
		if err != nil {
			t.Fatalf("%q: %v", tt.want, err)
		}
		if !slices.Equal(got.Insns, want.Insns) {
			t.Errorf("%q is not %q:\n%s", tt.expr, tt.want, got.Dump())
		}
	}
	for _, expr := range []string{"arp host both6", "udp port http", "host nowhere", "ip6 host mapped", "ether host nobody"} {
		if _, err := CompileOptions(expr, Ethernet, Options{Resolver: hosts{}}); err == nil {
			t.Errorf("%q compiles", expr)
		}
	}
}

// TestTables checks that every embedded name can be found.
func TestTables(t *testing.T) {
	n := names{}
	for _, s := range services {
		found := n.services(s.name)
		if len(found) == 0 || found[0].Port != s.port {
			t.Errorf("service %s: %v", s.name, found)
		}
		for _, f := range found {
			if f.Protocol == 0 {
				t.Errorf("service %s: no protocol in %q", s.name, s.over)
			}
		}
	}
	for _, p := range protocols {
		if number, ok := n.protocol(p.name); !ok || number != p.number {
			t.Errorf("protocol %s: %d", p.name, number)
		}
	}
}

func TestLinkTypes(t *testing.T) {
	for _, name := range []string{"EN10MB", "en10mb", "DLT_EN10MB"} {
		if lt, err := LinkTypeByName(name); err != nil || lt != Ethernet {
			t.Errorf("%s: %v, %v", name, lt, err)
		}
	}
	if got := Ethernet.String(); got != "EN10MB" {
		t.Errorf("got %s", got)
	}
	if got := LinkType(147).String(); got != "LINKTYPE_147" {
		t.Errorf("got %s", got)
	}
	_, err := LinkTypeByName("WIFI")
	var e *Error
	want := `unknown link type "WIFI" at column 1: known are NULL, EN10MB, RAW, LINUX_SLL, LINUX_SLL2`
	if !errors.As(err, &e) || e.Kind != KindLinkType || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestEtherProtoNames compiles the names that only libpcap 1.11 and later know.
func TestEtherProtoNames(t *testing.T) {
	for name, number := range map[string]string{"lldp": "0x88cc", "slow": "0x8809"} {
		got, err := Compile("ether proto "+name, Ethernet, 0)
		if err != nil {
			t.Error(err)
			continue
		}
		want, err := Compile("ether proto "+number, Ethernet, 0)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v, %v", name, got, want, err)
		}
	}
}
