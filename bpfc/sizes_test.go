package bpfc

import (
	"cmp"
	"math"
	"slices"
	"testing"
)

// A sizes gathers how programs compare with those of libpcap.
type sizes struct {
	ours, theirs       int
	oursRun, theirsRun int
	ratios             []sizeRatio
}

type sizeRatio struct {
	expr         string
	ours, theirs int
}

func (r sizeRatio) ratio() float64 { return float64(r.ours) / float64(r.theirs) }

// add compares two programs.
func (s *sizes) add(expr string, ours, theirs *Program, pkts [][]byte) {
	s.ours += len(ours.Insns)
	s.theirs += len(theirs.Insns)
	for _, pkt := range pkts {
		s.oursRun += steps(ours, pkt)
		s.theirsRun += steps(theirs, pkt)
	}
	s.ratios = append(s.ratios, sizeRatio{expr, len(ours.Insns), len(theirs.Insns)})
}

// judge compares the figures with what they should be: less than the given part
// of tcpdump's instructions in sum, and at most 0.95 of those executed. No
// program may be larger by more than a tenth, but one of 2,000.
func (s *sizes) judge(t *testing.T, sum float64) {
	t.Helper()
	above := 0
	for _, r := range s.ratios {
		if r.ratio() > 1.1 {
			above++
		}
	}
	if above > len(s.ratios)/2000 {
		t.Errorf("%d programs are larger than tcpdump's by more than a tenth", above)
	}
	if s.mean() > 1 || float64(s.ours) > sum*float64(s.theirs) {
		t.Error("programs are larger than tcpdump's")
	}
	if float64(s.oursRun) > 0.95*float64(s.theirsRun) {
		t.Error("programs are slower than tcpdump's")
	}
}

// mean returns the geometric mean of the ratios of sizes.
func (s *sizes) mean() float64 {
	logs := 0.0
	for _, r := range s.ratios {
		logs += math.Log(r.ratio())
	}
	return math.Exp(logs / float64(len(s.ratios)))
}

// log writes the figures, and the worst ratios.
func (s *sizes) log(t *testing.T) {
	t.Helper()
	slices.SortFunc(s.ratios, func(a, b sizeRatio) int { return cmp.Compare(b.ratio(), a.ratio()) })
	above := 0
	for above < len(s.ratios) && s.ratios[above].ratio() > 1.1 {
		above++
	}
	t.Logf("%d programs of %d instructions, %.3f of tcpdump's, geometric mean %.3f, %d above 1.1",
		len(s.ratios), s.ours, float64(s.ours)/float64(s.theirs), s.mean(), above)
	if s.theirsRun > 0 {
		t.Logf("instructions executed %.3f of tcpdump's", float64(s.oursRun)/float64(s.theirsRun))
	}
	for _, r := range s.ratios[:min(len(s.ratios), 8)] {
		t.Logf("%.3f %d/%d %s", r.ratio(), r.ours, r.theirs, r.expr)
	}
}
