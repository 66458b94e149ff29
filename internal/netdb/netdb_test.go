package netdb

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icap/bpfc"
)

var tables = map[string]string{
	"services":  "# a comment\nours 7777/tcp mine # more\nours 7777/udp\nchat 5000/sctp\nbad x/tcp\nhuge 70000/tcp\nodd 1/dccp\nlonely\n",
	"protocols": "ip 0 IP\nours 253 OURS\nbig 256\n",
	"networks":  "loopback 127.0.0.0\nlab 10.1\nten 10 decade\nbad 10.300\nlong 1.2.3.4.5\n",
	"ethers":    "0:11:22:33:44:5 gate\n00:00:00:00:00 short\nx:0:0:0:0:0 bad\n",
}

// resolver reads the tables above.
func resolver(t *testing.T) *Resolver {
	t.Helper()
	dir := t.TempDir()
	for name, text := range tables {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &Resolver{Dir: dir}
}

func TestTables(t *testing.T) {
	r := resolver(t)
	both := []bpfc.Service{{Protocol: 6, Port: 7777}, {Protocol: 17, Port: 7777}}
	for name, want := range map[string][]bpfc.Service{
		"ours": both, "mine": both[:1], "chat": {{Protocol: 132, Port: 5000}},
		"bad": nil, "huge": nil, "odd": nil, "lonely": nil, "more": nil, "7777/tcp": nil,
	} {
		if got := r.Services(name); !slices.Equal(got, want) {
			t.Errorf("service %s: got %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]int{"ip": 0, "IP": 0, "OURS": 253, "big": -1, "none": -1} {
		if got, ok := r.Protocol(name); ok != (want >= 0) || ok && int(got) != want {
			t.Errorf("protocol %s: got %d, %v, want %d", name, got, ok, want)
		}
	}
	for name, want := range map[string]string{
		"loopback": "127.0.0.0/32", "lab": "10.1.0.0/16", "decade": "10.0.0.0/8", "bad": "", "long": "", "none": "",
	} {
		var prefixes []netip.Prefix
		if want != "" {
			prefixes = append(prefixes, netip.MustParsePrefix(want))
		}
		if got := r.Networks(name); !slices.Equal(got, prefixes) {
			t.Errorf("network %s: got %v, want %q", name, got, want)
		}
	}
	want := [6]byte{0, 0x11, 0x22, 0x33, 0x44, 5}
	if got, ok := r.Ether("gate"); !ok || got != want {
		t.Errorf("gate: got %x, %v, want %x", got, ok, want)
	}
	for _, name := range []string{"short", "bad", "none"} {
		if got, ok := r.Ether(name); ok {
			t.Errorf("ether %s: got %x", name, got)
		}
	}
}

// TestNothingIsReadUnasked compiles an expression that has no names.
func TestNothingIsReadUnasked(t *testing.T) {
	r := resolver(t)
	if _, err := bpfc.CompileOptions("tcp port 80 and net 10 and proto 6", bpfc.Ethernet, bpfc.Options{Resolver: r}); err != nil {
		t.Fatal(err)
	}
	if r.tables != nil || r.found != nil {
		t.Errorf("read %v, asked for %v", r.tables, r.found)
	}
	// And what is there not, is not missed.
	none := &Resolver{Dir: filepath.Join(t.TempDir(), "none")}
	if _, err := bpfc.CompileOptions("port domain", bpfc.Ethernet, bpfc.Options{Resolver: none}); err != nil {
		t.Errorf("without tables: %v", err)
	}
}

// TestHosts compiles names of hosts.
func TestHosts(t *testing.T) {
	r := resolver(t)
	if got := r.Hosts("localhost"); !slices.Contains(got, netip.MustParseAddr("127.0.0.1")) {
		t.Errorf("localhost: got %v", got)
	}
	r.Timeout = time.Nanosecond
	if got := r.Hosts("name.invalid"); got != nil {
		t.Errorf("name.invalid: got %v", got)
	}
	r.found["gate"] = []netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("fd00::9")}
	for expr, want := range map[string]string{
		"host gate": "", "ip6 host gate": "", "net lab": "", "gateway gate": "", "ether host gate": "",
		"port ours": "", "portrange mine-chat": "", `proto \ours`: "", "tcp port chat": "not known for",
		"host name.invalid": "unknown host", "net none": "unknown network", "port ourz": "unknown port",
		"gateway none": "unknown Ethernet host", "gateway short": "unknown Ethernet host",
	} {
		_, err := bpfc.CompileOptions(expr, bpfc.Ethernet, bpfc.Options{Resolver: r})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}
