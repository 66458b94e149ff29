package main

import (
	"slices"
)

// A spread is where the values of several rounds lie.
type spread struct {
	Median, Min, Max float64
}

// spreadOf is the zero spread for no values.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	s := slices.Sorted(slices.Values(values))
	return spread{Median: middle(s), Min: s[0], Max: s[len(s)-1]}
}

// middle is the median of sorted values.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// ratios pairs the values of two programs round by round, since what
// disturbs a machine for longer than a round disturbs both. A round that one
// of them did not measure gives no ratio.
func ratios(of, to []float64) []float64 {
	var r []float64
	for i := range min(len(of), len(to)) {
		if of[i] > 0 && to[i] > 0 {
			r = append(r, of[i]/to[i])
		}
	}
	return r
}
