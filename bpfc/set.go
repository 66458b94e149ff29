package bpfc

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A set is a set of numbers: intervals in ascending order with gaps between
// them.
type set []interval

// union returns the numbers of s and of t.
func (s set) union(t set) set {
	both := append(slices.Clone(s), t...)
	slices.SortFunc(both, func(a, b interval) int { return cmp.Compare(a.lo, b.lo) })
	var u set
	for _, r := range both {
		last := len(u) - 1
		if last >= 0 && (u[last].hi == allOnes || r.lo <= u[last].hi+1) {
			u[last].hi = max(u[last].hi, r.hi)
		} else {
			u = append(u, r)
		}
	}
	return u
}

// within returns the numbers of s that are in r.
func (s set) within(r interval) set {
	var t set
	for _, i := range s {
		i.lo, i.hi = max(i.lo, r.lo), min(i.hi, r.hi)
		if i.lo <= i.hi {
			t = append(t, i)
		}
	}
	return t
}

// intersect returns the numbers that are both in s and in t.
func (s set) intersect(t set) set {
	var u set
	for i, j := 0, 0; i < len(s) && j < len(t); {
		r := interval{max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi)}
		if r.lo <= r.hi {
			u = append(u, r)
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	return u
}

// outside returns the numbers of r that are not in s, which lies within r.
func (s set) outside(r interval) set {
	var t set
	next := uint64(r.lo)
	for _, i := range s {
		if next < uint64(i.lo) {
			t = append(t, interval{uint32(next), i.lo - 1})
		}
		next = uint64(i.hi) + 1
	}
	if next <= uint64(r.hi) {
		t = append(t, interval{uint32(next), r.hi})
	}
	return t
}

// A setTable numbers the large sets of a program, so that a test can name
// one. Until the last passes, such a test is one block.
type setTable struct {
	sets   []set
	number map[string]uint32 // by the bytes of the set
}

// test returns the test whether v is in s.
func (t *setTable) test(v value, s set) test {
	var key []byte
	for _, i := range s {
		key = binary.BigEndian.AppendUint32(key, i.lo)
		key = binary.BigEndian.AppendUint32(key, i.hi)
	}
	n, ok := t.number[string(key)]
	if !ok {
		if t.number == nil {
			t.number = make(map[string]uint32)
		}
		n = uint32(len(t.sets))
		t.number[string(key)] = n
		t.sets = append(t.sets, s)
	}
	return test{v, relMember, n}
}

// member returns the formula that holds if v is in s: a search tree if it is
// small, and a test in the table if it is large.
func (t *setTable) member(v value, s set) formula {
	if len(s) > fastLeaf {
		return t.test(v, s)
	}
	return s.decide(v, interval{0, v.max()}, fastLeaf)
}

// tests returns about how many tests tell whether v is in s.
func (s set) tests(v value) int {
	if len(s) <= fastLeaf {
		return s.decide(v, interval{0, v.max()}, fastLeaf).size()
	}
	n := len(s) + len(s)/fastLeaf
	for _, i := range s {
		if i.lo != i.hi {
			n++
		}
	}
	return n
}

// size returns about how many instructions make a test.
func (t *setTable) size(test test) int {
	if test.rel == relMember {
		return t.sets[test.k].tests(test.v)
	}
	return 1
}

// numbers returns the numbers for which a test has the result. It is not ok
// for tests of bits.
func (s *setTable) numbers(t test, result bool) (numbers set, ok bool) {
	if t.rel != relMember {
		return t.numbers(result)
	}
	numbers = s.sets[t.k]
	if !result {
		numbers = numbers.outside(interval{0, t.v.max()})
	}
	return numbers, true
}

// numbers returns the numbers for which a test has the result. It is not ok
// for tests of bits, and of sets, whose numbers are in a table.
func (t test) numbers(result bool) (s set, ok bool) {
	if t.rel == relAnyBit || t.rel == relMember {
		return nil, false
	}
	all := interval{0, t.v.max()}
	switch t.rel {
	case relEqual:
		s = set{{t.k, t.k}}
	case relGreaterEqual:
		s = set{{t.k, allOnes}}
	case relGreater:
		if t.k < allOnes {
			s = set{{t.k + 1, allOnes}}
		}
	}
	s = s.within(all)
	if !result {
		s = s.outside(all)
	}
	return s, true
}

// A decision is a tree of tests of one value that tells whether it is in a
// set. It is a formula.
type decision struct {
	test    test
	yes, no *decision // nil in leaves
	in      bool      // of a leaf
}

// decide returns a tree that tells whether v, which is known to be in r, is
// in s. Up to leaf members are compared one by one before the tree branches:
// for n numbers without neighbours it has about n + n/leaf tests, of which a
// packet meets up to log2(n/leaf) + leaf.
func (s set) decide(v value, r interval, leaf int) *decision {
	s = s.within(r)
	rest := s.outside(r)
	switch {
	case len(s) == 0:
		return &decision{}
	case len(rest) == 0:
		return &decision{in: true}
	case len(s) <= leaf && s[0].lo == s[0].hi:
		return s.peel(0, v, r, leaf, true)
	case len(s) <= leaf && s[len(s)-1].lo == s[len(s)-1].hi:
		return s.peel(len(s)-1, v, r, leaf, true)
	case len(rest) == 1 && rest[0].lo == rest[0].hi:
		return rest.peel(0, v, r, leaf, false)
	}
	cut := s[middle(len(s), leaf)].lo
	if cut == r.lo {
		// One interval is left, at the low end.
		cut = s[0].hi + 1
	}
	return &decision{
		test: test{v, relGreaterEqual, cut},
		yes:  s.decide(v, interval{cut, r.hi}, leaf),
		no:   s.decide(v, interval{r.lo, cut - 1}, leaf),
	}
}

// middle returns where to cut n members so that leaves become as full as
// possible.
func middle(n, leaf int) int {
	leaves := max((n+leaf-1)/leaf, 2)
	return n * (leaves / 2) / leaves
}

// peel tests for the single number s[i] first.
func (s set) peel(i int, v value, r interval, leaf int, in bool) *decision {
	d := &decision{test: test{v, relEqual, s[i].lo}, yes: &decision{in: in}}
	others := slices.Delete(slices.Clone(s), i, i+1)
	if !in {
		others = others.outside(r)
	}
	d.no = others.decide(v, r, leaf)
	return d
}

// size returns the number of tests.
func (d *decision) size() int {
	if d.yes == nil {
		return 0
	}
	return 1 + d.yes.size() + d.no.size()
}

func (d *decision) blocks(g *graph, yes, no *block) *block {
	switch {
	case d.yes != nil:
		return g.branch(d.test, d.yes.blocks(g, yes, no), d.no.blocks(g, yes, no))
	case d.in:
		return yes
	}
	return no
}
