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
func (s set) union(t set) set { return append(slices.Clone(s), t...).normal() }

// normal returns the set of the intervals of s, which may be in any order. It
// takes the memory of s.
func (s set) normal() set {
	if len(s) == 0 {
		return nil
	}
	slices.SortFunc(s, func(a, b interval) int { return cmp.Compare(a.lo, b.lo) })
	u := s[:1]
	for _, r := range s[1:] {
		last := &u[len(u)-1]
		if last.hi == allOnes || r.lo <= last.hi+1 {
			last.hi = max(last.hi, r.hi)
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
	key := make([]byte, 0, 8*len(s))
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
	return s.decide(v, interval{0, v.max()}, fastLeafOf(len(s)))
}

// tests returns about how many tests tell whether v is in s.
func (s set) tests(v value) int {
	if len(s) <= fastLeaf {
		return s.decide(v, interval{0, v.max()}, fastLeafOf(len(s))).size()
	}
	n := len(s) + len(s)/fastLeafOf(len(s))
	for _, i := range s {
		if !i.single() {
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
// for tests of bits and of pairs.
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
// for tests of bits and of pairs, and of sets, whose numbers are in a table.
func (t test) numbers(result bool) (s set, ok bool) {
	if !t.rel.ordered() {
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
// in s, which lies within r. Up to leaf members are compared one by one before
// the tree branches: for n numbers without neighbours it has about n + n/leaf
// tests, of which a packet meets up to log2(n/leaf) + leaf.
func (s set) decide(v value, r interval, leaf int) *decision {
	d := decider{v: v, leaf: leaf, spare: make([]decision, min(2*len(s)+2, 256))}
	d.in = d.another(decision{in: true})
	d.out = d.another(decision{})
	return d.decide(s, r)
}

// A decider makes trees of tests of one value.
type decider struct {
	v       value
	leaf    int
	in, out *decision
	spare   []decision // allocated together
}

// another returns a new decision.
func (d *decider) another(n decision) *decision {
	if len(d.spare) == 0 {
		d.spare = make([]decision, 256)
	}
	p := &d.spare[0]
	d.spare = d.spare[1:]
	*p = n
	return p
}

func (d *decider) decide(s set, r interval) *decision {
	switch n := len(s); {
	case n == 0:
		return d.out
	case n == 1 && s[0] == r:
		return d.in
	case n <= d.leaf && s[0].single():
		return d.another(decision{test: test{d.v, relEqual, s[0].lo}, yes: d.in, no: d.decide(s[1:], r)})
	case n <= d.leaf && s[n-1].single():
		return d.another(decision{test: test{d.v, relEqual, s[n-1].lo}, yes: d.in, no: d.decide(s[:n-1], r)})
	case n <= 2:
		if rest := s.outside(r); len(rest) == 1 && rest[0].single() {
			return d.another(decision{test: test{d.v, relEqual, rest[0].lo}, yes: d.out, no: d.in})
		}
	}
	cut := middle(len(s), d.leaf)
	at := s[cut].lo
	if one := s[0]; at == r.lo || len(s) == 1 && d.v.size == 4 && r.hi-one.hi > one.lo-r.lo {
		// One interval is left, at the low end or near to it.
		cut, at = 1, one.hi+1
	}
	return d.another(decision{
		test: test{d.v, relGreaterEqual, at},
		yes:  d.decide(s[cut:], interval{at, r.hi}),
		no:   d.decide(s[:cut], interval{r.lo, at - 1}),
	})
}

// single reports whether the interval is one number.
func (i interval) single() bool { return i.lo == i.hi }

// fastLeafOf returns how many of n members a search tree compares one by one
// if it shall be fast: so many that the tree, with what stands before it, is
// larger by no more than about a fifteenth than a row of comparisons.
func fastLeafOf(n int) int {
	if n < minSplit {
		return minSplit
	}
	leaves := 1 + (n+8)/14
	return min((n+leaves-1)/leaves, fastLeaf)
}

// middle returns where to cut n members so that leaves become as full as
// possible.
func middle(n, leaf int) int {
	leaves := max((n+leaf-1)/leaf, 2)
	return n * (leaves / 2) / leaves
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
