package stats

import (
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	tests := []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{9, 1, 4}, Spread{4, 1, 9}},
		{[]float64{4, 1, 2, 9}, Spread{3, 1, 9}},
	}
	for _, tt := range tests {
		before := slices.Clone(tt.values)
		if got := Of(tt.values); got != tt.want {
			t.Errorf("Of(%v) = %v, want %v", tt.values, got, tt.want)
		}
		if !slices.Equal(tt.values, before) {
			t.Errorf("Of changed its argument %v to %v", before, tt.values)
		}
	}
}

// What disturbs both programs in one round leaves its ratio as it is.
func TestRatiosArePaired(t *testing.T) {
	got := Ratios([]float64{50, 100, 60}, []float64{100, 200, 120})
	if want := []float64{0.5, 0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRatiosOfWhatWasNotMeasured(t *testing.T) {
	got := Ratios([]float64{1, 0, 3}, []float64{2, 2, 0})
	if want := []float64{0.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Ratios(nil, []float64{1}); got != nil {
		t.Errorf("got %v for no rounds", got)
	}
}

func TestMeasured(t *testing.T) {
	values := []float64{3, 0, 1}
	if got, want := Measured(values), []float64{3, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if values[1] != 0 {
		t.Error("the argument has changed")
	}
}
