package bpfc

import (
	"cmp"
	"slices"
)

// An atom holds if a value is in an interval.
type atom struct {
	v  value
	in interval // empty if lo > hi
}

// A tuple holds if all of its atoms do: the words of an address, or one
// number. Where there are several atoms, each is for one number.
type tuple []atom

// tuplesOf returns formulas as tuples, or nil if one is none.
func tuplesOf(list []formula) []tuple {
	if _, ok := appendAtoms(nil, 0, list[0]); !ok {
		return nil
	}
	tuples := make([]tuple, 0, len(list))
	atoms := make([]atom, 0, 2*len(list)) // of all of them, to save memory
	for _, f := range list {
		start := len(atoms)
		var ok bool
		if atoms, ok = appendAtoms(atoms, start, f); !ok {
			return nil
		}
		t := tuple(atoms[start:len(atoms):len(atoms)])
		if len(t) > 1 && slices.ContainsFunc(t, func(a atom) bool { return !a.in.single() }) {
			return nil
		}
		tuples = append(tuples, t)
	}
	return tuples
}

// appendAtoms appends the atoms of a formula to those from start on. It is
// not ok if the formula is no tuple.
func appendAtoms(atoms []atom, start int, f formula) (longer []atom, ok bool) {
	switch f := bare(f).(type) {
	case test:
		in, ok := f.interval(true)
		return append(atoms, atom{f.v, in}), ok
	case not:
		if t, isTest := bare(f.f).(test); isTest {
			in, ok := t.interval(false)
			return appendAtom(atoms, start, atom{t.v, in}), ok
		}
	case junction:
		if slices.Contains(f.ops, opOr) {
			break
		}
		ok = true
		for i := 0; ok && i < len(f.terms); i++ {
			atoms, ok = appendAtoms(atoms, start, f.terms[i])
		}
		return atoms, ok
	}
	return atoms, false
}

// appendAtom appends an atom. One about the same value as the one before it
// confines that.
func appendAtom(atoms []atom, start int, a atom) []atom {
	if last := len(atoms) - 1; last >= start && atoms[last].v == a.v {
		in := &atoms[last].in
		in.lo, in.hi = max(in.lo, a.in.lo), min(in.hi, a.in.hi)
		return atoms
	}
	return append(atoms, a)
}

// interval returns the numbers for which a test has the result. It is not ok
// where these are no interval.
func (t test) interval(result bool) (i interval, ok bool) {
	i.hi = t.v.max()
	switch {
	case t.rel == relEqual && result:
		if t.k&^t.v.mask != 0 || t.k > i.hi {
			return interval{1, 0}, true
		}
		return interval{t.k, t.k}, true
	case t.rel == relGreaterEqual && result:
		i.lo = t.k
	case t.rel == relGreater && !result:
		i.hi = min(i.hi, t.k)
	default:
		return i, false
	}
	return i, true
}

// trie returns a formula that holds if one of the tuples does. It looks at
// their first atoms, and then only at the rests of those that hold.
func (l *lister) trie(tuples []tuple) formula {
	// First those that consist of one atom, and then the others. Masks
	// become shorter, so that they can be applied one after the other.
	var single, longer groups
	for _, t := range tuples {
		switch {
		case slices.ContainsFunc(t, func(a atom) bool { return a.in.lo > a.in.hi }):
		case len(t) == 1:
			single.add(t, len(tuples))
		default:
			longer.add(t, len(tuples))
		}
	}
	terms := l.membership(single)
	longer.sort()
	for _, g := range longer {
		terms = append(terms, l.choose(g.v, g.tuples))
	}
	if terms == nil {
		return not{always{}}
	}
	return anyOf(terms...)
}

// A groups is tuples by the value of their first atom, in the order of its
// first use.
type groups []grouped

type grouped struct {
	v      value
	tuples []tuple
}

// add adds a tuple, one of up to n, to its group.
func (g *groups) add(t tuple, n int) {
	v := t[0].v
	i := len(*g) - 1
	for i >= 0 && (*g)[i].v != v {
		i--
	}
	if i < 0 {
		i = len(*g)
		*g = append(*g, grouped{v: v})
		if i == 0 { // mostly the only one
			(*g)[i].tuples = make([]tuple, 0, n)
		}
	}
	(*g)[i].tuples = append((*g)[i].tuples, t)
}

// sort orders groups by mask, the longest first.
func (g groups) sort() {
	slices.SortStableFunc(g, func(a, b grouped) int { return cmp.Compare(b.v.mask, a.v.mask) })
}

// membership returns formulas of which one holds if one of the tuples does,
// which have one atom each.
func (l *lister) membership(g groups) (terms []formula) {
	g.sort()
	var numbers set // of the whole value
	ordered := true // masking keeps the order of numbers
	size := 0
	for _, group := range g {
		v := group.v
		ordered = ordered && isPrefix(v) && v.whole() == g[0].v.whole()
		in := make(set, 0, len(group.tuples))
		for _, t := range group.tuples {
			in = append(in, t[0].in)
		}
		in = in.normal()
		size += in.tests(v) + v.loads()
		terms = append(terms, l.sets.member(v, in))
		for _, i := range in {
			numbers = append(numbers, interval{i.lo, i.hi | v.whole().max()&^v.mask})
		}
	}
	if ordered && len(g) > 0 {
		v := g[0].v.whole()
		numbers = numbers.normal()
		if numbers.tests(v)+v.loads() <= size {
			return []formula{l.sets.member(v, numbers)}
		}
	}
	return terms
}

// A choice leads to one of several formulas, by the number that a value has.
// It does not hold for other numbers.
type choice struct {
	v       value
	numbers []uint32  // in ascending order
	then    []formula // one for each number
}

// choose returns the choice among tuples that begin with the same value.
func (l *lister) choose(v value, tuples []tuple) formula {
	slices.SortStableFunc(tuples, func(a, b tuple) int {
		return cmp.Compare(a[0].in.lo, b[0].in.lo)
	})
	c := choice{v: v}
	for i := 0; i < len(tuples); {
		k := tuples[i][0].in.lo
		rests := make([]tuple, 0, len(tuples)-i)
		for ; i < len(tuples) && tuples[i][0].in.lo == k; i++ {
			rests = append(rests, tuples[i][1:])
		}
		c.numbers = append(c.numbers, k)
		c.then = append(c.then, l.trie(rests))
	}
	return c
}

func (c choice) blocks(g *graph, yes, no *block) *block {
	n := len(c.numbers)
	if leaf := fastLeafOf(n); n > leaf {
		cut := middle(n, leaf)
		low := choice{c.v, c.numbers[:cut], c.then[:cut]}
		high := choice{c.v, c.numbers[cut:], c.then[cut:]}
		return g.branch(test{c.v, relGreaterEqual, c.numbers[cut]},
			high.blocks(g, yes, no), low.blocks(g, yes, no))
	}
	other := no
	for i := n - 1; i >= 0; i-- {
		other = g.branch(test{c.v, relEqual, c.numbers[i]}, c.then[i].blocks(g, yes, no), other)
	}
	return other
}
