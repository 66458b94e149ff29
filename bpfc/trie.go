package bpfc

import (
	"cmp"
	"slices"
)

// An atom holds if a value is in a set.
type atom struct {
	v  value
	in set
}

// A tuple holds if all of its atoms do: the words of an address, or one
// number. Where there are several atoms, each is in a set of one number.
type tuple []atom

// tuplesOf returns formulas as tuples, or nil if one is none.
func tuplesOf(list []formula) []tuple {
	tuples := make([]tuple, 0, len(list))
	for _, f := range list {
		t, ok := tupleOf(f)
		if !ok {
			return nil
		}
		tuples = append(tuples, t)
	}
	return tuples
}

// tupleOf returns a formula as a tuple.
func tupleOf(f formula) (tuple, bool) {
	switch f := f.(type) {
	case test:
		in, ok := f.numbers(true)
		return tuple{{f.v, in}}, ok
	case not:
		if t, ok := f.f.(test); ok {
			in, ok := t.numbers(false)
			return tuple{{t.v, in}}, ok
		}
	case junction:
		if slices.Contains(f.ops, opOr) {
			return nil, false
		}
		var all tuple
		for _, term := range f.terms {
			t, ok := tupleOf(term)
			if !ok {
				return nil, false
			}
			for _, a := range t {
				last := len(all) - 1
				if last >= 0 && all[last].v == a.v {
					all[last].in = all[last].in.intersect(a.in)
				} else {
					all = append(all, a)
				}
			}
		}
		if len(all) == 1 {
			return all, true
		}
		return all, !slices.ContainsFunc(all, func(a atom) bool {
			return len(a.in) != 1 || a.in[0].lo != a.in[0].hi
		})
	}
	return nil, false
}

// trie returns a formula that holds if one of the tuples does. It looks at
// their first atoms, and then only at the rests of those that hold.
func (l *lister) trie(tuples []tuple) formula {
	tuples = slices.DeleteFunc(tuples, func(t tuple) bool {
		return slices.ContainsFunc(t, func(a atom) bool { return len(a.in) == 0 })
	})
	// First those that consist of the atom only, as one set, and then the
	// others by value. Masks become shorter, so that they can be applied one
	// after the other.
	var single []tuple
	var values []value
	longer := make(map[value][]tuple)
	for _, t := range tuples {
		if v := t[0].v; len(t) == 1 {
			single = append(single, t)
		} else {
			if longer[v] == nil {
				values = append(values, v)
			}
			longer[v] = append(longer[v], t)
		}
	}
	slices.SortStableFunc(values, compareMasks)
	var terms []formula
	if single != nil {
		terms = append(terms, l.membership(single)...)
	}
	for _, v := range values {
		terms = append(terms, l.choose(v, longer[v]))
	}
	if terms == nil {
		return not{always{}}
	}
	return anyOf(terms...)
}

// compareMasks orders values by mask, the longest first.
func compareMasks(a, b value) int { return cmp.Compare(b.mask, a.mask) }

// membership returns formulas of which one holds if one of the tuples does,
// which have one atom each.
func (l *lister) membership(tuples []tuple) (terms []formula) {
	var values []value
	sets := make(map[value]set)
	ordered := true // masking keeps the order of numbers
	for _, t := range tuples {
		v := t[0].v
		if sets[v] == nil {
			values = append(values, v)
			ordered = ordered && isPrefix(v)
		}
		sets[v] = append(sets[v], t[0].in...)
	}
	slices.SortStableFunc(values, compareMasks)
	var numbers set // of the whole value
	size := 0
	for _, v := range values {
		in := set(nil).union(sets[v])
		size += in.tests(v) + v.loads()
		terms = append(terms, l.sets.member(v, in))
		for _, i := range in {
			numbers = append(numbers, interval{i.lo, i.hi | v.whole().max()&^v.mask})
		}
	}
	if ordered && len(values) > 0 {
		v := values[0].whole()
		in := set(nil).union(numbers)
		if in.tests(v)+v.loads() <= size {
			return []formula{l.sets.member(v, in)}
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
	c := choice{v: v}
	rests := make(map[uint32][]tuple)
	for _, t := range tuples {
		k := t[0].in[0].lo
		if rests[k] == nil {
			c.numbers = append(c.numbers, k)
		}
		rests[k] = append(rests[k], t[1:])
	}
	slices.Sort(c.numbers)
	for _, k := range c.numbers {
		c.then = append(c.then, l.trie(rests[k]))
	}
	return c
}

func (c choice) blocks(g *graph, yes, no *block) *block {
	n := len(c.numbers)
	if n > fastLeaf {
		low, high := c, c
		cut := middle(n, fastLeaf)
		low.numbers, low.then = c.numbers[:cut], c.then[:cut]
		high.numbers, high.then = c.numbers[cut:], c.then[cut:]
		return g.branch(test{c.v, relGreaterEqual, c.numbers[cut]},
			high.blocks(g, yes, no), low.blocks(g, yes, no))
	}
	other := no
	for i := n - 1; i >= 0; i-- {
		other = g.branch(test{c.v, relEqual, c.numbers[i]}, c.then[i].blocks(g, yes, no), other)
	}
	return other
}
