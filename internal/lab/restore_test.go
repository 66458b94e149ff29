package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// text writes a rule as iptables-save would, without the names of match
// modules.
func (r rule) text() string {
	var b strings.Builder
	b.WriteString("-A " + r.chain)
	for _, m := range r.matches {
		if m.not {
			b.WriteString(" !")
		}
		switch m.option {
		case "-s", "-d":
			fmt.Fprintf(&b, " %s %v", m.option, m.prefix)
		case "-i", "-o":
			fmt.Fprintf(&b, " %s %s", m.option, m.name)
		case "-p":
			fmt.Fprintf(&b, " -p %s", map[uint32]string{protoTCP: "tcp", protoUDP: "udp"}[m.number])
		default:
			fmt.Fprintf(&b, " %s %d", m.option, m.number)
		}
	}
	b.WriteString(" -j " + r.target)
	if r.toPort != 0 {
		fmt.Fprintf(&b, " --to-ports %d", r.toPort)
	}
	return b.String()
}

func (t table) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%s\n", t.name)
	for _, c := range t.chains {
		policy := c.policy
		if policy == "" {
			policy = "-"
		}
		fmt.Fprintf(&b, ":%s %s [0:0]\n", c.name, policy)
	}
	for _, r := range t.rules {
		fmt.Fprintln(&b, r.text())
	}
	b.WriteString("COMMIT\n")
	return b.String()
}

// golden are rule sets as iptables-save has shown them in a cluster.
var golden = map[Rules][2]string{
	Today:     {"testdata/sidecar-redirect.rules"},
	Article:   {"testdata/sidecar-article.rules"},
	DualStack: {"testdata/sidecar-redirect.rules", "testdata/sidecar-redirect6.rules"},
}

// TestRestoreRoundTrip loses nothing of Istio's rules.
func TestRestoreRoundTrip(t *testing.T) {
	modules := strings.NewReplacer(" -m tcp", "", " -m udp", "", " -m owner", "")
	for r, files := range golden {
		for _, name := range files {
			if name == "" {
				continue
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseRestore(string(want))
			if err != nil {
				t.Fatal(err)
			}
			if want := modules.Replace(string(want)); got.text() != want {
				t.Errorf("%v: got\n%s\nwant\n%s", r, got.text(), want)
			}
		}
	}
}

// TestTexts writes the rules that were saved elsewhere.
func TestTexts(t *testing.T) {
	for r, files := range golden {
		s, err := r.spec()
		if err != nil {
			t.Fatal(err)
		}
		v4, v6 := s.texts()
		for i, got := range []string{v4, v6} {
			if files[i] == "" {
				if got != "" {
					t.Errorf("%v: has rules of IPv6", r)
				}
				continue
			}
			want, err := os.ReadFile(files[i])
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", r, got, want)
			}
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":          {"", "no table"},
		"two tables":       {"*nat\nCOMMIT\n*mangle", "line 3: second table"},
		"other text":       {"*nat\n0:\tfrom all", "line 2: not understood"},
		"option":           {"*nat\n-A A --syn x -j RETURN", "unknown option --syn"},
		"module":           {"*nat\n-A A -m multiport -j RETURN", `unknown match "multiport"`},
		"goto":             {"*nat\n-A A -g B", "unknown option -g"},
		"no value":         {"*nat\n-A A -j", "-j without a value"},
		"no target":        {"*nat\n-A A -p tcp", "no target"},
		"negated target":   {"*nat\n-A A ! -j RETURN", "! before -j"},
		"wildcard":         {"*nat\n-A A -i eth+ -j RETURN", "wildcard"},
		"address":          {"*nat\n-A A -s 10.0.0.256/8 -j RETURN", "-s: "},
		"port without -p":  {"*nat\n-A A --dport 80 -j RETURN", "--dport without -p"},
		"port after ! -p":  {"*nat\n-A A ! -p tcp --dport 80 -j RETURN", "--dport without -p"},
		"port range":       {"*nat\n-A A -p tcp --dport 80:90 -j RETURN", "--dport: "},
		"port too large":   {"*nat\n-A A -p tcp --dport 65536 -j RETURN", "--dport: "},
		"user name":        {"*nat\n-A A --uid-owner root -j RETURN", "--uid-owner: "},
		"redirect nowhere": {"*nat\n-A A -p tcp -j REDIRECT", "belong together"},
		"ports for return": {"*nat\n-A A -j RETURN --to-ports 1", "belong together"},
	} {
		_, err := parseRestore(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
