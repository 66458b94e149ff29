package bpfc

import (
	"math/bits"
	"slices"
)

// Facts are what the tests on all ways to a place have told about values. A
// value has facts only if it was loaded on all of them, so that a test that
// the facts decide can be left out: its load could not have failed.
//
// Facts are immutable; those of several places share what they have in
// common.
type facts struct {
	of     *valueTable
	about  []*fact // by the number of the value; nil if it was not loaded
	proven extent  // how long the packet is at least
}

// A fact is what is known about one value.
type fact struct {
	in   set    // the numbers that it can be
	bits []test // tests of bits, pairs and large sets that held
	none []test // those that did not
}

// maxPieces bounds the intervals of a fact. What a long list of operands has
// excluded is not worth remembering: gatherSets joins them anyway.
const maxPieces = 32

// An interval is all numbers from lo to hi, both included.
type interval struct{ lo, hi uint32 }

// A valueTable numbers the values of a program.
type valueTable struct {
	number map[value]int
	sets   *setTable
}

// numberValues returns the table for some blocks. With a masked field, the
// whole field has a number too.
func numberValues(order []*block, sets *setTable) *valueTable {
	t := &valueTable{number: make(map[value]int), sets: sets}
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

// learn returns the facts with the result of a test.
func (f facts) learn(t test, result bool) facts {
	f.about = slices.Clone(f.about)
	f.proven = f.proven.with(t.v)
	n := f.of.number[t.v]
	var next fact
	if old := f.about[n]; old != nil {
		next = *old
	}
	next.in, _ = f.known(t.v)
	var numbers set
	ok := false
	if !f.of.sets.large(t) {
		numbers, ok = f.of.sets.numbers(t, result)
	}
	if in := next.in.intersect(numbers); ok && len(in) <= maxPieces {
		next.in = in
	} else if t.rel.ordered() {
		// Too many pieces to remember.
	} else if result {
		next.bits = append(slices.Clone(next.bits), t)
	} else {
		next.none = append(slices.Clone(next.none), t)
	}
	f.about[n] = &next

	// A prefix of a field confines the whole field, which was loaded too.
	if t.v.mask != allOnes {
		whole := t.v.whole()
		in, _ := f.known(whole)
		if s := next.in; len(s) == 1 && isPrefix(t.v) {
			in = in.within(interval{s[0].lo, s[0].hi | whole.max()&^t.v.mask})
		}
		n := f.of.number[whole]
		confined := fact{in: in}
		if old := f.about[n]; old != nil {
			confined.bits, confined.none = old.bits, old.none
		}
		f.about[n] = &confined
	}
	return f
}

// large reports whether a test is of a set with too many pieces for a fact.
func (t *setTable) large(test test) bool {
	return test.rel == relMember && len(t.sets[test.k]) > maxPieces
}

// load returns the facts after v was loaded, and nothing more is known of it.
func (f facts) load(v value) facts {
	return f.learn(test{v, relGreaterEqual, 0}, true)
}

// known returns the numbers that v can be, and whether v has been loaded.
func (f facts) known(v value) (in set, loaded bool) {
	in = set{{0, v.max()}}
	if own := f.about[f.of.number[v]]; own != nil {
		in, loaded = own.in, true
	}
	if v.mask == allOnes {
		return in, loaded
	}
	whole := f.about[f.of.number[v.whole()]]
	if whole == nil {
		return in, loaded
	}
	if w := whole.in; isPrefix(v) || len(w) == 1 && w[0].lo == w[0].hi {
		var seen set
		for _, r := range w {
			seen = append(seen, interval{r.lo & v.mask, r.hi & v.mask})
		}
		in = in.intersect(set(nil).union(seen))
	}
	return in, true
}

// decide returns the result of a test, if the facts tell it.
func (f facts) decide(t test) (result, ok bool) {
	in, loaded := f.known(t.v)
	if !loaded || len(in) == 0 { // no packet comes here with none
		return false, false
	}
	single := len(in) == 1 && in[0].lo == in[0].hi
	if !t.rel.ordered() && (t.rel != relAnyBit || !single) {
		if own := f.about[f.of.number[t.v]]; own != nil {
			held := slices.Contains(own.bits, t)
			if held || slices.Contains(own.none, t) {
				return held, true
			}
		}
		if t.rel != relMember {
			return false, false
		}
	}
	if t.rel == relMember {
		if f.of.sets.large(t) && len(in) == 1 && in[0].hi == t.v.max() {
			return false, false
		}
		inside := in.intersect(f.of.sets.sets[t.k])
		return len(inside) > 0, len(inside) == 0 || slices.Equal(inside, in)
	}
	for i, r := range in {
		low, high := t.rel.holds(r.lo, t.k), t.rel.holds(r.hi, t.k)
		if low != high || t.rel == relEqual && r.lo < t.k && t.k < r.hi ||
			i > 0 && low != result {
			return false, false
		}
		result = low
	}
	return result, true
}

// meet returns what holds both by f and by g.
func (f facts) meet(g facts) facts {
	both := facts{f.of, make([]*fact, len(f.about)), f.proven.meet(g.proven)}
	for n, a := range f.about {
		b := g.about[n]
		switch {
		case a == b:
			both.about[n] = a
		case a != nil && b != nil:
			in := a.in.union(b.in)
			if len(in) > maxPieces {
				in = set{{in[0].lo, in[len(in)-1].hi}}
			}
			both.about[n] = &fact{in, common(a.bits, b.bits), common(a.none, b.none)}
		}
	}
	return both
}

// common returns the tests that are both in a and in b.
func common(a, b []test) (both []test) {
	for _, t := range a {
		if slices.Contains(b, t) {
			both = append(both, t)
		}
	}
	return both
}

// isPrefix reports whether the mask of v keeps the leading bits of the field
// and no others, so that masking keeps the order of numbers.
func isPrefix(v value) bool {
	cut := v.whole().max() &^ v.mask
	return bits.OnesCount32(cut+1) <= 1
}
