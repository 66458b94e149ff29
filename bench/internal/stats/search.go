package stats

// A Trial is what came of trying a rate.
type Trial struct {
	Rate float64 // that was really offered
	Loss float64 // part of it that was lost
}

// Highest searches for the highest rate at which no more than a part of
// tolerated is lost. It tries no limit first, as a rate of zero. If that
// loses, it halves the interval below what was offered then, steps times.
//
// It returns the rate that was offered in the best trial that passed, or zero
// if none did. A single search is not much of a proof: at its edge, chance
// decides.
func Highest(tolerated float64, steps int, try func(rate int) (Trial, error)) (float64, error) {
	first, err := try(0)
	if err != nil || first.Loss <= tolerated {
		return first.Rate, err
	}
	best, low, high := 0.0, 0.0, first.Rate
	for range steps {
		middle := (low + high) / 2
		t, err := try(int(middle))
		if err != nil {
			return best, err
		}
		if t.Loss <= tolerated {
			low, best = middle, max(best, t.Rate)
		} else {
			high = middle
		}
	}
	return best, nil
}
