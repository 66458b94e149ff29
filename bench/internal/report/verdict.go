package report

import (
	"fmt"

	"icap/bench/internal/measure"
	"icap/bench/internal/stats"
)

// tolerance is how much the median of a ratio may be beyond its target before
// it counts as missed, since that is the spread from run to run. A target of
// nothing has none.
const tolerance = 1.10

// enoughPairs is how many rounds a verdict takes.
const enoughPairs = 3

// judge says what the values of a target mean.
func (t target) judge(values []float64) string {
	if len(values) == 0 {
		return "not measured"
	}
	v, leeway := stats.Of(values).Median, t.limit*tolerance
	if t.worst {
		v, leeway = stats.Of(values).Max, t.limit
	}
	verdict := "MISSED"
	switch {
	case v <= t.far && t.far < t.limit:
		verdict = "met, and beyond"
	case v <= t.limit:
		verdict = "met"
	case v <= leeway:
		verdict = "met within the spread"
	}
	if !t.worst && len(values) < enoughPairs {
		verdict += fmt.Sprintf(" (%d of %d rounds)", len(values), enoughPairs)
	}
	return verdict
}

// targetTable shows every target beside what was measured, or only those that
// were.
func targetTable(o *measure.Outcome, partial bool) table {
	t := table{{"what", "target", "beyond", "measured", "verdict"}}
	for _, g := range targets() {
		values := g.measure(o)
		if partial && len(values) == 0 {
			continue
		}
		measured, far := "-", "-"
		if len(values) > 0 {
			v := stats.Of(values)
			measured = fmt.Sprintf("%.4g (%.4g-%.4g)", v.Median, v.Min, v.Max)
		}
		if g.far < g.limit {
			far = fmt.Sprintf("<= %.4g", g.far)
		}
		t = append(t, []string{g.what, fmt.Sprintf("<= %.4g", g.limit), far, measured, g.judge(values)})
	}
	return t
}
