package bpfc

import (
	"os/exec"
	"testing"
)

// TestListsAgainstTcpdump compares the verdicts of lists of operands with
// those of libpcap's programs, on packets that the lists were written for.
func TestListsAgainstTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, n := range []int{3, 5, 12, 40} {
		for name, expr := range sets(n) {
			optimized, err := tcpdump(expr, true)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := tcpdump(expr, false)
			if err != nil {
				t.Fatal(err)
			}
			p, err := CompileOptions(expr, Ethernet, Options{})
			if err != nil {
				t.Fatal(err)
			}
			tree, err := Parse(expr)
			if err != nil {
				t.Fatal(err)
			}
			differ := 0
			for _, pkt := range operandPackets(tree) {
				compare(t, expr, pkt, p.Match(pkt, len(pkt)), optimized.Match(pkt, len(pkt)))
				for cut := 12; cut < len(pkt); cut++ {
					got := p.Match(pkt[:cut], len(pkt))
					if want := plain.Match(pkt[:cut], len(pkt)); got != want &&
						got != optimized.Match(pkt[:cut], len(pkt)) {
						differ++
						if differ == 1 {
							t.Errorf("%d %s at %d: got %d, want %d: %.100s", n, name, cut, got, want, expr)
						}
					}
				}
			}
			t.Logf("%d %s: %d instructions, tcpdump's %d; %d differ", n, name, len(p.Insns), len(optimized.Insns), differ)
		}
	}
}
