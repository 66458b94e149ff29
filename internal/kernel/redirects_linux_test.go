package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// restoreRules applies testdata/NAME.v4 and NAME.v6 with the iptables of a
// flavour, "nft" or "legacy", in the namespace of the test's thread.
func restoreRules(t *testing.T, flavour, name string) {
	t.Helper()
	for _, how := range []struct{ ext, program string }{
		{".v4", "iptables-" + flavour + "-restore"},
		{".v6", "ip6tables-" + flavour + "-restore"},
	} {
		rules, err := os.ReadFile(filepath.Join("testdata", name+how.ext))
		if errors.Is(err, fs.ErrNotExist) && how.ext == ".v6" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		run(t, string(rules), how.program)
	}
}

// sidecar is what the default rules of a sidecar mean, with some differences.
func sidecar(tables string, change func(*Redirects)) Redirects {
	r := Redirects{
		Outbound:        15001,
		Inbound:         15006,
		ProxyUIDs:       []uint32{1337},
		ProxyGIDs:       []uint32{1337},
		ExcludedInbound: []uint16{15008, 15020, 15021, 15090},
		Source:          tables,
	}
	if change != nil {
		change(&r)
	}
	return r
}

// withoutRules leaves to TestReadRules what it looks at.
func withoutRules() cmp.Option {
	return cmpopts.IgnoreFields(Redirects{}, "InboundRules", "OutboundRules", "UpstreamMarks", "SelfMarks", "Ambient")
}

// TestReadRedirectsIptables reads rules that Istio's own programs wrote, made
// by both kinds of iptables. An N in a source is "nf_tables" or "legacy".
func TestReadRedirectsIptables(t *testing.T) {
	for name, want := range map[string]Redirects{
		"sidecar-redirect":           sidecar("N ip nat", nil),
		"sidecar-redirect-dualstack": sidecar("N ip nat, N ip6 nat", nil),
		"sidecar-redirect-uid201507": sidecar("N ip nat", func(r *Redirects) {
			r.ProxyUIDs, r.ProxyGIDs = []uint32{201507}, []uint32{201507}
		}),
		"sidecar-dns":     sidecar("N ip nat", func(r *Redirects) { r.DNS = 15053 }),
		"sidecar-dns-all": sidecar("N ip nat", func(r *Redirects) { r.DNS = 15053 }),
		"sidecar-excludes": sidecar("N ip nat", func(r *Redirects) {
			r.ExcludedInbound, r.IncludedInbound = []uint16{15008}, []uint16{8080, 9090}
		}),
		"sidecar-excludeall-in": sidecar("N ip nat", func(r *Redirects) {
			r.ExcludedInbound = []uint16{22, 15008, 15020, 15021, 15090}
		}),
		// TPROXY does not spare 15008: the rule stands in a chain of nat that
		// nothing jumps to.
		"sidecar-tproxy": sidecar("N ip mangle, N ip nat", func(r *Redirects) {
			r.TProxy, r.ExcludedInbound = true, []uint16{15020, 15021, 15090}
		}),
		"sidecar-tproxy-dualstack": sidecar("N ip mangle, N ip nat, N ip6 mangle, N ip6 nat", func(r *Redirects) {
			r.TProxy, r.ExcludedInbound = true, []uint16{15020, 15021, 15090}
		}),
		"ambient-inpod": {
			Outbound: 15001, Inbound: 15006, ExcludedInbound: []uint16{15008},
			Source: "N ip nat, N ip6 nat",
		},
		"ambient-inpod-dns": {
			Outbound: 15001, Inbound: 15006, DNS: 15053, ExcludedInbound: []uint16{15008},
			Source: "N ip nat",
		},
		"ambient-inpod-ingress": {Outbound: 15001, Source: "N ip nat"},
	} {
		for flavour, source := range map[string]string{"nft": "nf_tables", "legacy": "legacy"} {
			t.Run(name+"/"+flavour, func(t *testing.T) {
				enterNetns(t)
				restoreRules(t, flavour, name)
				got, err := ReadRedirects()
				if err != nil {
					t.Fatal(err)
				}
				want := want
				want.Source = strings.ReplaceAll(want.Source, "N", source)
				// The legacy kernel lists tables by when they were last made.
				if flavour == "legacy" {
					got.Source, want.Source = "", ""
				}
				if d := cmp.Diff(want, got, withoutRules()); d != "" {
					t.Errorf("ReadRedirects (-want +got):\n%s", d)
				}
			})
		}
	}
}

func TestReadRedirectsNftables(t *testing.T) {
	for name, want := range map[string]Redirects{
		"sidecar-nft": sidecar("nf_tables inet istio-proxy-nat", nil),
		"sidecar-nft-dualstack-dns": sidecar("nf_tables inet istio-proxy-nat", func(r *Redirects) {
			r.DNS = 15053
		}),
		"sidecar-nft-tproxy": sidecar("nf_tables inet istio-proxy-nat, nf_tables inet istio-proxy-mangle",
			func(r *Redirects) { r.TProxy, r.ExcludedInbound = true, []uint16{15020, 15021, 15090} }),
		// Rules as nobody but a test writes them: a set of ports, a mark set
		// and registers used again, ranges and vmaps that must not be taken for
		// exclusions, a table that is switched off, a chain gone to.
		"odd": {
			Outbound: 4140, Inbound: 4143,
			ProxyUIDs:       []uint32{2102},
			ExcludedInbound: []uint16{22, 4190},
			Source:          "nf_tables inet odd",
		},
	} {
		t.Run(name, func(t *testing.T) {
			enterNetns(t)
			run(t, "", "nft", "-f", filepath.Join("testdata", name+".nft"))
			got, err := ReadRedirects()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, withoutRules()); d != "" {
				t.Errorf("ReadRedirects (-want +got):\n%s", d)
			}
		})
	}
}

// TestReadRedirectsNone also sees that reading leaves no trace.
func TestReadRedirectsNone(t *testing.T) {
	enterNetns(t)
	got, err := ReadRedirects()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Redirects{}, got); d != "" {
		t.Errorf("ReadRedirects (-want +got):\n%s", d)
	}
	tables, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	if err == nil && len(tables) > 0 {
		t.Errorf("reading has made tables: %q", tables)
	}
}

func TestReadRedirectsWithoutPrivilege(t *testing.T) {
	enterNetns(t)
	drop(t, unix.CAP_NET_ADMIN)
	_, err := ReadRedirects()
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("ReadRedirects without CAP_NET_ADMIN: %v", err)
	}
}
