package lab_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// needApply skips a test if the machine has not the program for a way.
func needApply(t *testing.T, how lab.Apply) {
	t.Helper()
	program := map[lab.Apply]string{
		lab.IPTables:       "iptables-restore",
		lab.IPTablesLegacy: "iptables-legacy-restore",
	}[how]
	if program != "" {
		needProgram(t, program)
	}
}

func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		labtest.Skip(t, "needs the program "+name)
	}
}

// inside runs a program in a pod and returns what it prints.
func inside(t *testing.T, p *lab.Pod, name string, args ...string) string {
	t.Helper()
	needProgram(t, name)
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout = &out
	if err := p.NS.Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var counters = regexp.MustCompile(`\[\d+:\d+\]`)

// TestSaved reads the rules back: the kernel holds the text, to the letter.
func TestSaved(t *testing.T) {
	for rules, file := range map[lab.Rules]string{
		lab.Today:   "testdata/sidecar-redirect.rules",
		lab.Article: "testdata/sidecar-article.rules",
	} {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		l := labtest.New(t, lab.Config{Rules: rules, Apply: lab.IPTables})
		var got strings.Builder
		for line := range strings.Lines(inside(t, l.App, "iptables-save", "-t", "nat")) {
			if line[0] != '#' {
				got.WriteString(counters.ReplaceAllString(line, "[0:0]"))
			}
		}
		if got.String() != string(want) {
			t.Errorf("%v: got\n%s\nwant\n%s", rules, got.String(), want)
		}
	}
}

// TestTranslation compares the two ways rule by rule: after the same traffic
// every rule has to have met as many connections.
func TestTranslation(t *testing.T) {
	needProgram(t, "iptables-save")
	for _, r := range []lab.Rules{lab.Today, lab.Article} {
		t.Run(r.String(), func(t *testing.T) {
			traffic := func(how lab.Apply) *lab.Lab {
				l := labtest.New(t, lab.Config{Rules: r, Apply: how})
				run(t, l, cases())
				return l
			}
			want := savedCounters(t, traffic(lab.IPTables).App)
			got := nftCounters(t, traffic(lab.NFTables).App)
			if !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("packets by chain: nftables\n%v\niptables\n%v", got, want)
			}
			hit := 0
			for _, c := range want {
				for _, n := range c {
					hit += min(n, 1)
				}
			}
			if hit < 10 {
				t.Errorf("traffic met %d rules only: %v", hit, want)
			}
		})
	}
}

// savedCounters has the packets of each rule, by chain.
func savedCounters(t *testing.T, p *lab.Pod) map[string][]int {
	t.Helper()
	rule := regexp.MustCompile(`^\[(\d+):\d+\] -A (\S+) `)
	m := map[string][]int{}
	for line := range strings.Lines(inside(t, p, "iptables-save", "-c", "-t", "nat")) {
		if f := rule.FindStringSubmatch(line); f != nil {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			m[f[2]] = append(m[f[2]], n)
		}
	}
	return m
}

// nftCounters has the same from nftables.
func nftCounters(t *testing.T, p *lab.Pod) map[string][]int {
	t.Helper()
	m := map[string][]int{}
	err := p.NS.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
		if err != nil {
			return err
		}
		for _, chain := range chains {
			rules, err := c.GetRules(chain.Table, chain)
			if err != nil {
				return err
			}
			for _, r := range rules {
				for _, e := range r.Exprs {
					if n, ok := e.(*expr.Counter); ok {
						m[chain.Name] = append(m[chain.Name], int(n.Packets))
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
