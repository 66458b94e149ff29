package bpfc

import (
	"math/bits"
	"slices"
)

// Facts are what the tests on the way to a place have told about values. A
// value has facts only if it was loaded on the way, so that a test that the
// facts decide can be left out: its load could not have failed.
//
// Facts are immutable; learn returns new ones that share most of the old.
type facts struct {
	of    *valueTable
	about []*fact // by the number of the value; nil if it was not loaded
}

// A fact is what is known about one value.
type fact struct {
	r        interval
	outcomes *outcome
}

// An outcome is that of a test of a value, in a list with the latest first.
type outcome struct {
	rel    relation
	k      uint32
	result bool
	before *outcome
}

// An interval is all numbers from lo to hi, both included.
type interval struct{ lo, hi uint32 }

// A valueTable numbers the values of a program.
type valueTable struct{ number map[value]int }

// numberValues returns the table for some blocks. With a masked field, the
// whole field has a number too.
func numberValues(order []*block) *valueTable {
	t := &valueTable{number: make(map[value]int)}
	for _, b := range order {
		if b.returns() {
			continue
		}
		for _, v := range [2]value{b.test.v, b.test.v.whole()} {
			if _, ok := t.number[v]; !ok {
				t.number[v] = len(t.number)
			}
		}
	}
	return t
}

// nothing returns the facts at the start of a program.
func (t *valueTable) nothing() facts {
	return facts{of: t, about: make([]*fact, len(t.number))}
}

// learn returns the facts with the outcome of a test.
func (f facts) learn(t test, result bool) facts {
	f.about = slices.Clone(f.about)
	n := f.of.number[t.v]
	r, ok := f.known(t.v)
	if !ok {
		r = interval{0, t.v.max()}
	}
	next := &fact{r: r.narrow(t, result)}
	next.outcomes = &outcome{rel: t.rel, k: t.k, result: result}
	if old := f.about[n]; old != nil {
		next.outcomes.before = old.outcomes
	}
	f.about[n] = next

	// A prefix of a field confines the whole field, which was loaded too.
	if t.v.mask != allOnes {
		whole := t.v.whole()
		n := f.of.number[whole]
		confined := fact{r: interval{0, whole.max()}}
		if old := f.about[n]; old != nil {
			confined = *old
		}
		if r := next.r; r.lo == r.hi && isPrefix(t.v) {
			confined.r.lo = max(confined.r.lo, r.lo)
			confined.r.hi = min(confined.r.hi, r.lo|whole.max()&^t.v.mask)
		}
		f.about[n] = &confined
	}
	return f
}

// known returns the numbers that v can be, if v has been loaded.
func (f facts) known(v value) (r interval, loaded bool) {
	r = interval{0, v.max()}
	if own := f.about[f.of.number[v]]; own != nil {
		r, loaded = own.r, true
	}
	if v.mask == allOnes {
		return r, loaded
	}
	if whole := f.about[f.of.number[v.whole()]]; whole != nil {
		loaded = true
		if w := whole.r; w.lo == w.hi || isPrefix(v) {
			r.lo = max(r.lo, w.lo&v.mask)
			r.hi = min(r.hi, w.hi&v.mask)
		}
	}
	return r, loaded
}

// decide returns the outcome of a test, if the facts tell it.
func (f facts) decide(t test) (result, ok bool) {
	r, loaded := f.known(t.v)
	if !loaded || r.lo > r.hi { // contradictory: no packet comes here
		return false, false
	}
	low, high := t.rel.holds(r.lo, t.k), t.rel.holds(r.hi, t.k)
	switch {
	case r.lo == r.hi:
		return low, true
	case t.rel == relEqual && (t.k < r.lo || t.k > r.hi):
		return false, true
	case (t.rel == relGreater || t.rel == relGreaterEqual) && low == high:
		return low, true
	}
	own := f.about[f.of.number[t.v]]
	if own == nil {
		return false, false
	}
	for o := own.outcomes; o != nil; o = o.before {
		if o.rel == t.rel && o.k == t.k {
			return o.result, true
		}
	}
	return false, false
}

// narrow returns the numbers of r for which the test has the result.
func (r interval) narrow(t test, result bool) interval {
	switch {
	case t.rel == relEqual && result:
		return interval{max(r.lo, t.k), min(r.hi, t.k)}
	case t.rel == relEqual:
		if r.lo < r.hi && r.lo == t.k {
			r.lo++
		}
		if r.lo < r.hi && r.hi == t.k {
			r.hi--
		}
	case t.rel == relGreater && result:
		if t.k == allOnes {
			return interval{1, 0}
		}
		r.lo = max(r.lo, t.k+1)
	case t.rel == relGreater:
		r.hi = min(r.hi, t.k)
	case t.rel == relGreaterEqual && result:
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
