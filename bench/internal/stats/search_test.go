package stats

import (
	"errors"
	"math"
	"testing"
)

// A program that takes so many packets a second loses the others.
func lossless(capacity, offer float64, tries *int) func(int) (Trial, error) {
	return func(rate int) (Trial, error) {
		*tries++
		offered := float64(rate)
		if rate == 0 || offered > offer {
			offered = offer
		}
		return Trial{Rate: offered, Loss: max(0, offered-capacity) / offered}, nil
	}
}

func TestHighest(t *testing.T) {
	const steps, offer = 7, 1_600_000
	for _, capacity := range []float64{50_000, 400_000, 800_000, 1_234_567, 1_599_999, 1_600_000, 9_000_000} {
		tries := 0
		got, err := Highest(0.0001, steps, lossless(capacity, offer, &tries))
		if err != nil {
			t.Fatal(err)
		}
		want := min(capacity, offer)
		if off := math.Abs(got - want); off > offer/math.Pow(2, steps)+want*0.0002 {
			t.Errorf("capacity %g: found %g", capacity, got)
		}
		if got > want*1.0002 {
			t.Errorf("capacity %g: found more, %g", capacity, got)
		}
		if tries > steps+1 {
			t.Errorf("capacity %g: %d trials, want at most %d", capacity, tries, steps+1)
		}
	}
}

func TestHighestOfWhatAlwaysLoses(t *testing.T) {
	got, err := Highest(0, 5, func(int) (Trial, error) { return Trial{1000, 1}, nil })
	if got != 0 || err != nil {
		t.Errorf("got %g, %v", got, err)
	}
}

func TestHighestPassesErrors(t *testing.T) {
	want := errors.New("broken")
	if _, err := Highest(0, 5, func(int) (Trial, error) { return Trial{}, want }); err != want {
		t.Errorf("got %v", err)
	}
	n := 0
	_, err := Highest(0, 5, func(int) (Trial, error) {
		if n++; n > 1 {
			return Trial{}, want
		}
		return Trial{1000, 1}, nil
	})
	if err != want {
		t.Errorf("got %v", err)
	}
}
