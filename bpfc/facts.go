package bpfc

import "math/bits"

// Facts are what the tests on the way to a place have told about values. A
// value is known only if it has been loaded on the way, so that a test that
// the facts decide can be left out: its load could not have failed.
type facts struct {
	ranges   map[value]interval
	outcomes map[test]bool // of tests that a range cannot express
	undo     []func()
}

// An interval is all numbers from lo to hi, both included.
type interval struct{ lo, hi uint32 }

func newFacts() *facts {
	return &facts{
		ranges:   make(map[value]interval),
		outcomes: make(map[test]bool),
	}
}

// mark returns the present state, for forget.
func (f *facts) mark() int { return len(f.undo) }

// forget takes back what was learned since mark.
func (f *facts) forget(mark int) {
	for len(f.undo) > mark {
		last := len(f.undo) - 1
		f.undo[last]()
		f.undo = f.undo[:last]
	}
}

// learn adds the outcome of a test.
func (f *facts) learn(t test, outcome bool) {
	if _, ok := f.outcomes[t]; !ok {
		f.outcomes[t] = outcome
		f.undo = append(f.undo, func() { delete(f.outcomes, t) })
	}
	r, ok := f.known(t.v)
	if !ok {
		r = interval{0, t.v.max()}
	}
	r = r.narrow(t, outcome)
	f.setRange(t.v, r)

	// A prefix of a field confines the whole field.
	if r.lo == r.hi && t.v.mask != allOnes && isPrefix(t.v) {
		whole := t.v.whole()
		wr, ok := f.ranges[whole]
		if !ok {
			wr = interval{0, whole.max()}
		}
		wr.lo = max(wr.lo, r.lo)
		wr.hi = min(wr.hi, r.lo|whole.max()&^t.v.mask)
		f.setRange(whole, wr)
	}
}

// setRange replaces what is known about v.
func (f *facts) setRange(v value, r interval) {
	old, had := f.ranges[v]
	f.ranges[v] = r
	f.undo = append(f.undo, func() {
		if had {
			f.ranges[v] = old
		} else {
			delete(f.ranges, v)
		}
	})
}

// known returns the numbers that v can be, if v has been loaded.
func (f *facts) known(v value) (interval, bool) {
	r, ok := f.ranges[v]
	if v.mask == allOnes {
		return r, ok
	}
	whole, okWhole := f.ranges[v.whole()]
	if !okWhole {
		return r, ok
	}
	if !ok {
		r = interval{0, v.max()}
	}
	if whole.lo == whole.hi || isPrefix(v) {
		r.lo = max(r.lo, whole.lo&v.mask)
		r.hi = min(r.hi, whole.hi&v.mask)
	}
	return r, true
}

// loaded reports whether v is known to lie within the packet.
func (f *facts) loaded(v value) bool {
	_, ok := f.known(v)
	return ok
}

// decide returns the outcome of a test, if the facts tell it.
func (f *facts) decide(t test) (outcome, ok bool) {
	if outcome, ok := f.outcomes[t]; ok {
		return outcome, true
	}
	r, ok := f.known(t.v)
	if !ok {
		if t.v.from != fromLength {
			return false, false
		}
		r = interval{0, t.v.max()}
	}
	if r.lo > r.hi {
		return false, false // contradictory: no packet comes here
	}
	switch {
	case r.lo == r.hi:
		return t.rel.holds(r.lo, t.k), true
	case t.rel == relAnyBit:
		return false, false
	case t.rel == relEqual:
		return false, t.k < r.lo || t.k > r.hi
	}
	low, high := t.rel.holds(r.lo, t.k), t.rel.holds(r.hi, t.k)
	return low, low == high
}

// narrow returns the numbers of r for which the test has the outcome.
func (r interval) narrow(t test, outcome bool) interval {
	switch {
	case t.rel == relEqual && outcome:
		return interval{max(r.lo, t.k), min(r.hi, t.k)}
	case t.rel == relEqual:
		if r.lo < r.hi && r.lo == t.k {
			r.lo++
		}
		if r.lo < r.hi && r.hi == t.k {
			r.hi--
		}
	case t.rel == relGreater && outcome:
		if t.k == allOnes {
			return interval{1, 0}
		}
		r.lo = max(r.lo, t.k+1)
	case t.rel == relGreater:
		r.hi = min(r.hi, t.k)
	case t.rel == relGreaterEqual && outcome:
		r.lo = max(r.lo, t.k)
	case t.rel == relGreaterEqual:
		if t.k == 0 {
			return interval{1, 0}
		}
		r.hi = min(r.hi, t.k-1)
	}
	return r
}

// isPrefix reports whether the mask of v keeps the leading bits of the field
// and no others, so that masking keeps the order of numbers.
func isPrefix(v value) bool {
	cut := v.whole().max() &^ v.mask
	return bits.OnesCount32(cut+1) <= 1
}
