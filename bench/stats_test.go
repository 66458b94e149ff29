package main

import (
	"slices"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	tests := []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{9, 1, 4}, spread{4, 1, 9}},
		{[]float64{4, 1, 2, 9}, spread{3, 1, 9}},
	}
	for _, tt := range tests {
		before := slices.Clone(tt.values)
		if got := spreadOf(tt.values); got != tt.want {
			t.Errorf("spreadOf(%v) = %v, want %v", tt.values, got, tt.want)
		}
		if !slices.Equal(tt.values, before) {
			t.Errorf("spreadOf changed its argument %v to %v", before, tt.values)
		}
	}
}

// What disturbs both programs in one round leaves its ratio as it is.
func TestRatiosArePaired(t *testing.T) {
	got := ratios([]float64{50, 100, 60}, []float64{100, 200, 120})
	if want := []float64{0.5, 0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRatiosOfWhatWasNotMeasured(t *testing.T) {
	got := ratios([]float64{1, 0, 3}, []float64{2, 2, 0})
	if want := []float64{0.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ratios(nil, []float64{1}); got != nil {
		t.Errorf("got %v for no rounds", got)
	}
}
