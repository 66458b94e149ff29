// Package stats has the little arithmetic that the benchmark is judged by.
package stats

import "slices"

// A Spread is where the values of several rounds lie.
type Spread struct {
	Median, Min, Max float64
}

// Of is the zero Spread for no values.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(values))
	return Spread{Median: middle(s), Min: s[0], Max: s[len(s)-1]}
}

// Measured leaves out the rounds that gave nothing, which have a zero.
func Measured(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v <= 0 })
}

// middle is the median of sorted values.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// Ratios pairs the values of two programs round by round, since what
// disturbs a machine for longer than a round disturbs both. A round that one
// of them did not measure gives no ratio.
func Ratios(of, to []float64) []float64 {
	var r []float64
	for i := range min(len(of), len(to)) {
		if of[i] > 0 && to[i] > 0 {
			r = append(r, of[i]/to[i])
		}
	}
	return r
}
