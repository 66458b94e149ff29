package bpfc

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mutated returns an expression with a few words left out, doubled, swapped or
// replaced.
func mutated(r *rand.Rand, expr string) string {
	words := strings.Fields(expr)
	for range 1 + r.IntN(2) {
		i := r.IntN(len(words))
		switch r.IntN(4) {
		case 0:
			if len(words) > 1 {
				words = slices.Delete(words, i, i+1)
			}
		case 1:
			words = slices.Insert(words, i, words[i])
		case 2:
			j := r.IntN(len(words))
			words[i], words[j] = words[j], words[i]
		default:
			if r.IntN(3) > 0 {
				words[i] = keywords[r.IntN(len(keywords))].word
			} else {
				words[i] = []string{"5", "10.0.0.1", "::1", "1:2:3:4:5:6", "foo", "10.0.0.0/8", "(", ")", "ip[0]", "="}[r.IntN(10)]
			}
		}
	}
	return strings.Join(words, " ")
}

// onPurpose reports whether we differ from tcpdump 4.99 on purpose.
func onPurpose(err error, j judged) bool {
	if err == nil {
		return quirk(j.err) || strings.Contains(j.expr, "vxlan")
	}
	return strings.Contains(err.Error(), "protocol number") ||
		strings.Contains(err.Error(), "a file does not tell it") || quirk(err)
}

// TestMutations checks that what tcpdump refuses is refused, and what it takes
// is taken, for expressions that are nearly right.
func TestMutations(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for i, lt := range []LinkType{Ethernet, LinuxSLL2} {
		r := rand.New(rand.NewPCG(71, uint64(i)))
		s := linguist{sentencer{r}, lt}
		var exprs []string
		for range amount(100) {
			exprs = append(exprs, mutated(r, s.sentence(0)))
		}
		for _, j := range judge(lt, exprs, patience()) {
			_, err := CompileOptions(j.expr, lt, asTcpdump)
			ours := err == nil || errors.Is(err, ErrNeverMatches)
			theirs := j.err == nil || j.err == errRejectsAll
			if ours != theirs && !onPurpose(err, j) {
				t.Errorf("%v %q: we say %v, tcpdump %v", lt, j.expr, err, j.err)
			}
		}
	}
}
