package bpfc

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// small is a value of one byte, so that all its numbers can be tried.
var small = field(0, 1)

// members returns the numbers of a set, by brute force.
func members(s set) (all [256]bool) {
	for _, r := range s {
		for n := r.lo; n <= r.hi && n < 256; n++ {
			all[n] = true
		}
	}
	return all
}

// randomSet returns a set of bytes, of points and of intervals.
func randomSet(r *rand.Rand) set {
	var s set
	for range r.IntN(20) {
		lo := uint32(r.IntN(256))
		hi := lo
		if r.IntN(3) == 0 {
			hi = min(lo+uint32(r.IntN(20)), 255)
		}
		s = append(s, interval{lo, hi})
	}
	return set(nil).union(s)
}

// normal reports whether a set is in ascending order with gaps.
func normal(s set) bool {
	for i, r := range s {
		if r.lo > r.hi || i > 0 && uint64(s[i-1].hi)+1 >= uint64(r.lo) {
			return false
		}
	}
	return true
}

func TestSetOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 2000 {
		a, b := randomSet(r), randomSet(r)
		inA, inB := members(a), members(b)
		bounds := interval{uint32(r.IntN(100)), uint32(100 + r.IntN(156))}
		union, both := a.union(b), a.intersect(b)
		within := a.within(bounds)
		rest := within.outside(bounds)
		for _, s := range []set{union, both, within, rest} {
			if !normal(s) {
				t.Fatalf("%v and %v in %v: %v is not normal", a, b, bounds, s)
			}
		}
		inUnion, inBoth, inWithin, inRest := members(union), members(both), members(within), members(rest)
		for n := range uint32(256) {
			bounded := bounds.lo <= n && n <= bounds.hi
			if inUnion[n] != (inA[n] || inB[n]) {
				t.Fatalf("%v union %v is %v", a, b, union)
			}
			if inBoth[n] != (inA[n] && inB[n]) {
				t.Fatalf("%v intersect %v is %v", a, b, both)
			}
			if inWithin[n] != (inA[n] && bounded) {
				t.Fatalf("%v within %v is %v", a, bounds, within)
			}
			if inRest[n] != (bounded && !inA[n]) {
				t.Fatalf("%v outside of %v is %v", within, bounds, rest)
			}
		}
	}
}

// TestSetEnds checks sets that reach the greatest number.
func TestSetEnds(t *testing.T) {
	all := interval{0, allOnes}
	top := set{{allOnes, allOnes}}
	if got, want := top.outside(all), (set{{0, allOnes - 1}}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (set{all}).outside(all); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
	if got := (set{all}).union(top); !slices.Equal(got, set{all}) {
		t.Errorf("got %v", got)
	}
	if got := (set{{5, allOnes}}).intersect(top); !slices.Equal(got, top) {
		t.Errorf("got %v", got)
	}
}

func TestNumbers(t *testing.T) {
	word := field(0, 4)
	tests := []struct {
		test   test
		result bool
		want   set
	}{
		{test{small, relEqual, 5}, true, set{{5, 5}}},
		{test{small, relEqual, 5}, false, set{{0, 4}, {6, 255}}},
		{test{small, relEqual, 0}, false, set{{1, 255}}},
		{test{small, relEqual, 300}, true, nil},
		{test{small, relEqual, 300}, false, set{{0, 255}}},
		{test{small, relGreater, 5}, true, set{{6, 255}}},
		{test{small, relGreater, 5}, false, set{{0, 5}}},
		{test{small, relGreater, 255}, true, nil},
		{test{small, relGreaterEqual, 0}, true, set{{0, 255}}},
		{test{small, relGreaterEqual, 0}, false, nil},
		{test{small, relGreaterEqual, 7}, false, set{{0, 6}}},
		{test{word, relGreater, allOnes}, true, nil},
		{test{word, relGreater, allOnes}, false, set{{0, allOnes}}},
		{test{word, relEqual, allOnes}, false, set{{0, allOnes - 1}}},
	}
	for _, tt := range tests {
		got, ok := tt.test.numbers(tt.result)
		if !ok || !slices.Equal(got, tt.want) {
			t.Errorf("%v is %v: got %v, want %v", tt.test, tt.result, got, tt.want)
		}
	}
	if _, ok := (test{small, relAnyBit, 5}).numbers(true); ok {
		t.Error("bits have a set of numbers")
	}
}

// TestDecisions runs trees on all numbers.
func TestDecisions(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for range 2000 {
		s := randomSet(r)
		in := members(s)
		leaf := []int{1, 2, fastLeaf, smallLeaf}[r.IntN(4)]
		d := s.decide(small, interval{0, 255}, leaf)
		for n := range uint32(256) {
			if got := d.decided(n); got != in[n] {
				t.Fatalf("%v, leaf %d: got %v for %d", s, leaf, got, n)
			}
		}
		if most := 3*len(s) + 2; d.size() > most {
			t.Fatalf("%v, leaf %d: %d tests", s, leaf, d.size())
		}
	}
}

// decided returns where a tree leads for n.
func (d *decision) decided(n uint32) bool {
	for d.yes != nil {
		if d.test.rel.holds(n, d.test.k) {
			d = d.yes
		} else {
			d = d.no
		}
	}
	return d.in
}

// depth returns the most tests that a number meets.
func (d *decision) depth() int {
	if d.yes == nil {
		return 0
	}
	return 1 + max(d.yes.depth(), d.no.depth())
}

// TestDecisionSize bounds size and depth for numbers without neighbours.
func TestDecisionSize(t *testing.T) {
	var s set
	for n := range uint32(1000) {
		s = append(s, interval{3 * n, 3 * n})
	}
	d := s.decide(field(0, 2), interval{0, 0xffff}, fastLeaf)
	if d.size() > 1000+1000/fastLeaf || d.depth() > 7+fastLeaf {
		t.Errorf("%d tests, %d deep", d.size(), d.depth())
	}
	d = s.decide(field(0, 2), interval{0, 0xffff}, smallLeaf)
	if d.size() > 1010 {
		t.Errorf("%d tests", d.size())
	}
}
