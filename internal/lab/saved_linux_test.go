package lab_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// sums are what savedSum says of the rules that Istio's own programs of
// August 2026 have written, read back by iptables 1.8.9 and nft 1.0.6.
var sums = map[string]string{
	"today":           "92b495db9ca1cafa",
	"today 201507":    "71b12dee3f73192e",
	"dualstack":       "8aeb33383fffe28b",
	"tproxy":          "d80bb120f10bd286",
	"tproxy6":         "eb3222b2292b3ef2",
	"dns":             "0bf41f7d40eafd28",
	"dns-all":         "e5fceda0afdcfa5f",
	"excludes":        "911867046c7e85ab",
	"exclude-nets":    "afcc814bc7f12610",
	"native":          "4d46a251c162b28f",
	"native-dns":      "2c7115a38bf4929c",
	"native-tproxy":   "97e8f2ca450f3e9c",
	"ambient":         "f7e8905e04c882cd",
	"ambient6":        "86e6df7e3a7e106e",
	"ambient-dns":     "af39a5f494d8e312",
	"ambient-dns6":    "85b459555eb890df",
	"ambient-ingress": "fe8f41f02a3f3e3f",
}

// TestSums holds the rules in the kernel against Istio's.
func TestSums(t *testing.T) {
	configs := map[string]lab.Config{"today 201507": {ProxyID: 201507}}
	for _, r := range lab.AllRules() {
		if r != lab.Article { // TestSaved has its text.
			configs[r.String()] = lab.Config{Rules: r}
		}
	}
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, "nft")
			needProgram(t, "iptables-restore")
			l := labtest.New(t, c)
			text := saved(t, l)
			if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16]; got != sums[name] {
				t.Errorf("sum %s, want %s, of\n%s", got, sums[name], text)
			}
		})
	}
}

// saved lists the rules in the app's pod by table and chain.
func saved(t *testing.T, l *lab.Lab) string {
	t.Helper()
	chains := map[string][]string{}
	if l.Applied == lab.NFT {
		nativeRules(inside(t, l.App, "nft", "-s", "list", "ruleset"), chains)
	} else {
		savedRules("4", inside(t, l.App, "iptables-save"), chains)
		savedRules("6", inside(t, l.App, "ip6tables-save"), chains)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		fmt.Fprintln(&b, name)
		for _, r := range chains[name] {
			fmt.Fprintln(&b, "\t"+r)
		}
	}
	return b.String()
}

// savedRules sorts what iptables-save prints into chains.
func savedRules(version, text string, chains map[string][]string) {
	table := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch words := strings.Fields(line); {
		case strings.HasPrefix(line, "*"):
			table = line[1:]
		case strings.HasPrefix(line, "-A"):
			name := version + " " + table + " " + words[1]
			chains[name] = append(chains[name], line)
		}
	}
}

// nativeRules does the same with what nft prints.
func nativeRules(text string, chains map[string][]string) {
	table, chain := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch words := strings.Fields(line); {
		case line == "" || line == "}":
		case words[0] == "table":
			table = words[2]
		case words[0] == "chain":
			chain = words[1]
		default:
			name := table + " " + chain
			chains[name] = append(chains[name], line)
		}
	}
}

// unmet are how many rules of IPv4, or of a native set, no case has a use for:
// those for a gid behind the same ones for the uid, those that TPROXY leaves
// over, and those for what no program of a lab does.
var unmet = map[lab.Rules]int{
	lab.Today: 4, lab.Article: 4, lab.DualStack: 4, lab.TProxy: 8, lab.TProxy6: 8,
	lab.DNS: 4, lab.DNSAll: 4, lab.Excludes: 10, lab.ExcludeNets: 12, lab.Native: 4, lab.NativeDNS: 6, lab.NativeTProxy: 8,
	lab.Ambient: 2, lab.Ambient6: 2, lab.AmbientDNS: 2, lab.AmbientDNS6: 2, lab.AmbientIngress: 2,
}

// checkMet sees that traffic has met all rules but those.
func checkMet(t *testing.T, l *lab.Lab) {
	t.Helper()
	args := []string{"iptables-save", "-c"}
	if l.Applied == lab.NFT {
		args = []string{"nft", "list", "ruleset"}
	}
	var lines []string
	for line := range strings.Lines(inside(t, l.App, args[0], args[1:]...)) {
		if strings.HasPrefix(line, "[0:0] -A") || strings.Contains(line, "packets 0 ") {
			lines = append(lines, line)
		}
	}
	if len(lines) > unmet[l.Rules] {
		t.Errorf("%d rules were not met, want at most %d:\n%s", len(lines), unmet[l.Rules], strings.Join(lines, ""))
	}
}
