package kernel

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ruleText is a rule in words: "redirect ip4 port 80 peer 10.0.0.0/8".
func ruleText(r Rule) string {
	words := []string{"spare"}
	if r.Redirect {
		words[0] = "redirect"
	}
	if r.Version != 0 {
		words = append(words, fmt.Sprintf("ip%d", r.Version))
	}
	add := func(name string, n int, what any) {
		if n > 0 {
			words = append(words, name+" "+strings.Trim(fmt.Sprint(what), "[]"))
		}
	}
	add("port", len(r.Ports), r.Ports)
	add("not port", len(r.NotPorts), r.NotPorts)
	add("peer", len(r.Peer), r.Peer)
	add("not peer", len(r.NotPeer), r.NotPeer)
	add("own", len(r.Own), r.Own)
	add("not own", len(r.NotOwn), r.NotOwn)
	add("on", len(r.Links), r.Links)
	add("not on", len(r.NotLinks), r.NotLinks)
	return strings.Join(words, " ")
}

// rulesText is all that TestReadRules compares, a line each.
func rulesText(r Redirects) []string {
	var all []string
	for _, rule := range r.InboundRules {
		all = append(all, "in: "+ruleText(rule))
	}
	for _, rule := range r.OutboundRules {
		all = append(all, "out: "+ruleText(rule))
	}
	for _, m := range r.UpstreamMarks {
		all = append(all, fmt.Sprintf("upstream mark %#x/%#x", m.Value, m.Mask))
	}
	for _, m := range r.SelfMarks {
		all = append(all, fmt.Sprintf("self mark %#x/%#x", m.Value, m.Mask))
	}
	if r.Ambient {
		all = append(all, "ambient")
	}
	return all
}

// usual are the rules of a sidecar by REDIRECT.
func usual() []string {
	return []string{
		"in: spare ip4 port 15008", "in: spare ip4 port 15090", "in: spare ip4 port 15021", "in: spare ip4 port 15020",
		"in: redirect ip4",
		"out: spare ip4 own 127.0.0.6/32 on lo", "out: spare ip4 peer 127.0.0.1/32", "out: redirect ip4",
	}
}

// TestReadRules reads which connections the rules of Istio's own programs
// redirect, and the marks by which they know the proxy's packets.
func TestReadRules(t *testing.T) {
	tproxy := []string{
		"in: spare ip4 peer 127.0.0.6/32 on lo", "in: spare ip4 on lo",
		"in: spare ip4 port 15090", "in: spare ip4 port 15021", "in: spare ip4 port 15020",
		"in: redirect ip4 not own 127.0.0.1/32",
		"out: spare ip4 own 127.0.0.6/32 on lo", "out: spare ip4 peer 127.0.0.1/32", "out: redirect ip4",
		"upstream mark 0x539/0xffffffff", "self mark 0x53a/0xffffffff",
	}
	for name, want := range map[string][]string{
		"sidecar-redirect":           usual(),
		"sidecar-redirect-uid201507": usual(),
		"sidecar-dns": {
			"in: spare ip4 port 15008", "in: spare ip4 port 15090", "in: spare ip4 port 15021", "in: spare ip4 port 15020",
			"in: redirect ip4",
			"out: spare ip4 own 127.0.0.6/32 on lo", "out: redirect ip4 port 53 peer 10.96.0.10/32",
			"out: spare ip4 peer 127.0.0.1/32", "out: redirect ip4",
		},
		"sidecar-excludes": {
			"in: spare ip4 port 15008", "in: redirect ip4 port 8080", "in: redirect ip4 port 9090",
			"out: spare ip4 port 3306", "out: spare ip4 port 6379",
			"out: spare ip4 own 127.0.0.6/32 on lo", "out: spare ip4 peer 127.0.0.1/32",
			"out: spare ip4 peer 169.254.169.254/32", "out: redirect ip4 peer 10.96.0.0/12",
		},
		"sidecar-excludeall-in": {
			"in: spare ip4 on eth1", "in: spare ip4 port 15008", "in: spare ip4 port 15090", "in: spare ip4 port 15021",
			"in: spare ip4 port 15020", "in: spare ip4 port 22", "in: redirect ip4",
			"out: spare ip4 on eth1", "out: spare ip4 port 5432", "out: spare ip4 own 127.0.0.6/32 on lo",
			"out: spare ip4 peer 127.0.0.1/32", "out: spare ip4 peer 10.0.0.0/8", "out: redirect ip4",
		},
		"sidecar-tproxy": tproxy,
		"ambient-inpod-dns": {
			"in: spare ip4 peer 169.254.7.127/32", "in: redirect ip4 not port 15008 not own 127.0.0.1/32",
			"out: spare ip4 peer 169.254.7.127/32", "out: redirect ip4 port 53 not peer 127.0.0.1/32",
			"out: spare ip4 not peer 127.0.0.1/32 on lo", "out: redirect ip4 not peer 127.0.0.1/32",
			"upstream mark 0x539/0xfff", "upstream mark 0x111/0xfff", "ambient",
		},
		"ambient-inpod-ingress": {
			"out: spare ip4 peer 169.254.7.127/32",
			"out: spare ip4 not peer 127.0.0.1/32 on lo", "out: redirect ip4 not peer 127.0.0.1/32",
			"upstream mark 0x111/0xfff", "upstream mark 0x539/0xfff", "ambient",
		},
	} {
		for _, flavour := range []string{"nft", "legacy"} {
			t.Run(name+"/"+flavour, func(t *testing.T) {
				enterNetns(t)
				restoreRules(t, flavour, name)
				compareRules(t, want)
			})
		}
	}
	for name, want := range map[string][]string{
		"sidecar-nft": {
			"in: spare port 15008", "in: spare port 15090", "in: spare port 15021", "in: spare port 15020", "in: redirect",
			"out: spare ip4 own 127.0.0.6/32 on lo", "out: spare ip4 peer 127.0.0.1/32", "out: redirect",
		},
		"sidecar-nft-tproxy": {
			"in: spare ip4 peer 127.0.0.6/32 on lo", "in: spare on lo",
			"in: spare port 15090", "in: spare port 15021", "in: spare port 15020",
			"in: redirect ip4 not own 127.0.0.1/32",
			"out: spare ip4 own 127.0.0.6/32 on lo", "out: spare ip4 peer 127.0.0.1/32", "out: redirect",
			"upstream mark 0x539/0xffffffff", "self mark 0x53a/0xffffffff",
		},
	} {
		t.Run(name, func(t *testing.T) {
			enterNetns(t)
			run(t, "", "nft", "-f", filepath.Join("testdata", name+".nft"))
			compareRules(t, want)
		})
	}
}

func compareRules(t *testing.T, want []string) {
	t.Helper()
	got, err := ReadRedirects()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, rulesText(got)); d != "" {
		t.Errorf("rules (-want +got):\n%s", d)
	}
}

// TestReadRulesOfAnyForm has networks and interfaces in forms that Istio does
// not write, by all three programs.
func TestReadRulesOfAnyForm(t *testing.T) {
	const restore = `*nat
-A OUTPUT -d %s -o eth+ -j RETURN
-A OUTPUT ! -d %s ! -o net1 -p tcp -j RETURN
-A OUTPUT -p tcp -j REDIRECT --to-ports 4140
COMMIT
`
	for _, version := range []struct {
		program, a, b string
		ip            int
	}{
		{"iptables", "10.32.0.0/11", "128.0.0.0/1", 4},
		{"ip6tables", "fd00::/8", "2001:db8:8000::/33", 6},
	} {
		want := []string{
			fmt.Sprintf("out: spare ip%d peer %s on eth+", version.ip, version.a),
			fmt.Sprintf("out: spare ip%d not peer %s not on net1", version.ip, version.b),
			fmt.Sprintf("out: redirect ip%d", version.ip),
		}
		for _, flavour := range []string{"nft", "legacy"} {
			t.Run(version.program+"/"+flavour, func(t *testing.T) {
				enterNetns(t)
				run(t, fmt.Sprintf(restore, version.a, version.b), version.program+"-"+flavour+"-restore")
				compareRules(t, want)
			})
		}
		t.Run(fmt.Sprintf("nft/%d", version.ip), func(t *testing.T) {
			enterNetns(t)
			ip := map[int]string{4: "ip", 6: "ip6"}[version.ip]
			run(t, fmt.Sprintf(`table inet x {
chain o { type nat hook output priority -100;
				oifname "eth*" %[1]s daddr %[2]s return
				oifname != "net1" %[1]s daddr != %[3]s meta l4proto tcp return
				meta nfproto ipv%[4]d meta l4proto tcp redirect to :4140
			}
}`, ip, version.a, version.b, version.ip), "nft", "-f", "-")
			compareRules(t, want)
		})
	}
}
