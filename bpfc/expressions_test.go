package bpfc

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestExpressions compares the expressions of testdata/expressions.txt, right
// and wrong ones, with what tcpdump makes of them: each for Ethernet and for
// one other link type.
func TestExpressions(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	text, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := sample(strings.Split(strings.TrimSpace(string(text)), "\n"), 3)
	others := []LinkType{Raw, LinuxSLL, LinuxSLL2}
	exprs := map[LinkType][]string{Ethernet: lines}
	for i, line := range lines {
		lt := others[i%len(others)]
		exprs[lt] = append(exprs[lt], line)
	}
	for lt, exprs := range exprs {
		whole, noise := packetsOf(lt, rand.New(rand.NewPCG(81, 82)))
		var a tally
		for _, j := range judge(lt, exprs, patience()) {
			o := asTcpdump
			o.StrictCIDR = true
			_, err := CompileOptions(j.expr, lt, o)
			if j.err != nil && j.err != errRejectsAll {
				if err == nil && !onPurpose(err, j) {
					t.Errorf("%v %q: compiled, but %v", lt, j.expr, j.err)
				}
				continue
			}
			if err != nil && !errors.Is(err, ErrNeverMatches) {
				if !onPurpose(err, j) {
					t.Errorf("%v %q: %v", lt, j.expr, err)
				}
				continue
			}
			a.check(t, lt, j, whole, noise)
		}
		t.Logf("%v: %d of %d compiled alike, worst ratio %.2f: %s", lt, a.compiled, len(exprs), a.worst, a.worstExpr)
	}
}
