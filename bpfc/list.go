package bpfc

import "slices"

// minList is from how many operands on a list is merged. In shorter ones the
// blocks are few, and gatherSets finds what they have in common.
const minList = 5

// A lister merges the terms of long lists.
type lister struct {
	sets   *setTable
	keeps  bool // libpcap does not optimize, and brings nothing together
	merged bool // there were such lists
	alone  bool // one of them is all there is
	depth  int  // of the junction that is looked at
	latest []mergedList
}

// A mergedList is a list of junctions and what it has become. The terms of a
// "port" belong to all protocols, so that they come up several times.
type mergedList struct {
	list   []formula
	result formula
}

// maxLatest bounds how many lists are remembered.
const maxLatest = 8

// known returns what a list has become before.
func (l *lister) known(list []formula) (result formula, ok bool) {
	for _, m := range l.latest {
		if slices.EqualFunc(m.list, list, identical) {
			return m.result, true
		}
	}
	return nil, false
}

// identical reports whether two junctions are the same in memory.
func identical(f, g formula) bool {
	j, ok := f.(junction)
	k, also := g.(junction)
	return ok && also && len(j.terms) == len(k.terms) && &j.terms[0] == &k.terms[0]
}

// testsIn returns the number of tests in a formula, or a greater number than
// most if there are more.
func testsIn(f formula, most int) (n int) {
	var terms []formula
	switch f := bare(f).(type) {
	case test:
		return 1
	case not:
		return testsIn(f.f, most)
	case fork:
		terms = []formula{f.cond, f.yes, f.no}
	case junction:
		terms = f.terms
	}
	for i := 0; i < len(terms) && n <= most; i++ {
		n += testsIn(terms[i], most-n)
	}
	return n
}

// lists returns a formula in which long lists of terms that differ in numbers
// only, such as "port 1 or 2 or 3 ...", have become one term that compares
// with all of the numbers at once.
//
// The tests of one value come together like this, before those of the next,
// as libpcap's optimizer brings them together.
func (l *lister) lists(f formula) formula {
	switch f := f.(type) {
	case not:
		return not{l.lists(f.f)}
	case fork:
		l.depth++
		merged := fork{f.cond, l.lists(f.yes), l.lists(f.no)}
		l.depth--
		return merged
	case junction:
		l.depth++
		merged := l.runs(f)
		l.depth--
		return merged
	}
	return f
}

// bare returns a formula without the mark of a written relation, which lists
// have no use for, and with the tests of ports.
func bare(f formula) formula {
	switch f := f.(type) {
	case written:
		return f.f
	case portTest:
		return f.open()
	}
	return f
}

// runs merges the terms of a junction that are next to each other and
// have the same operator before them: the first may have any.
func (l *lister) runs(j junction) formula {
	var terms []formula
	var ops []operator
	for i := 0; i < len(j.terms); {
		end := i + 1
		var op operator
		if i > 0 {
			op = j.ops[i-1]
		} else if len(j.ops) > 0 {
			op = j.ops[0]
		}
		for end < len(j.terms) && j.ops[end-1] == op {
			end++
		}
		run := j.terms[i:end]
		for _, t := range l.terms(run, op, len(j.terms)) {
			terms = append(terms, t)
			ops = append(ops, op)
		}
		i = end
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return junction{terms, ops[1:]}
}

// terms merges terms that are joined by one operator, of so many terms in all.
func (l *lister) terms(run []formula, op operator, all int) (terms []formula) {
	for i := 0; i < len(run); {
		end := i + 1
		for end < len(run) && alike(positive(run[i], op), positive(run[end], op)) {
			end++
		}
		if end-i >= minList {
			list := make([]formula, 0, end-i)
			for _, t := range run[i:end] {
				list = append(list, positive(t, op))
			}
			if merged := l.mergeInOrder(list); merged != nil {
				for _, f := range merged {
					terms = append(terms, positive(f, op))
				}
				l.merged = true
				l.alone = l.depth == 1 && len(list) == all
				i = end
				continue
			}
		}
		for ; i < end; i++ {
			terms = append(terms, l.lists(run[i]))
		}
	}
	return terms
}

// mergeInOrder returns one or more formulas of which one holds if any of a list
// does; or nil if it can merge nothing.
//
// Truncated packets fare as in libpcap's program. Its optimizer brings those
// tests of the list together that compare the same value as the first one. Then
// all values of the first one have been loaded, and the order of what is left
// does not matter.
func (l *lister) mergeInOrder(list []formula) []formula {
	head, rest := list[:1:1], []formula(nil)
	for _, f := range list[1:] {
		if !l.keeps && joinedWith(list[0], f) {
			head = append(head, f)
		} else {
			rest = append(rest, f)
		}
	}
	var merged []formula
	some := false
	for _, part := range [2][]formula{head, rest} {
		if len(part) >= minList {
			if f := l.merge(part); f != nil {
				merged, some = append(merged, f), true
				continue
			}
		}
		merged = append(merged, part...)
	}
	if !some {
		return nil
	}
	return merged
}

// A likeness compares formulas of the same form.
type likeness struct {
	before value // what all tests that differ are joined with; none if the size is 0
}

// sameValues reports whether g differs from f only in the numbers with which
// values are compared, and libpcap's optimizer would bring these comparisons
// together: nothing stands between them that the ones before do not tell.
func (l *likeness) sameValues(f, g formula) (differs, ok bool) {
	f, g = bare(f), bare(g)
	switch f := f.(type) {
	case test:
		g, ok := g.(test)
		return f != g, ok && (f == g || f.v == g.v && f.rel == relEqual && g.rel == relEqual)
	case not:
		return false, compareFormulas(f, g, false)
	case junction:
		g, ok := g.(junction)
		if !ok || !slices.Equal(f.ops, g.ops) {
			return false, false
		}
		for i, t := range f.terms {
			differ, ok := l.sameValues(t, g.terms[i])
			_, one := t.(test)
			if !ok || differ && one && slices.Contains(f.ops, opAnd) && !l.joins(f.terms, i) {
				return false, false
			}
			differs = differs || differ
		}
		return differs, true
	}
	return false, false
}

// joins reports whether the term at i can be the one of a conjunction that
// differs: the last of two, of which the first is of one value everywhere.
func (l *likeness) joins(terms []formula, i int) bool {
	if len(terms) != 2 || i != 1 {
		return false
	}
	t, ok := terms[0].(test)
	if !ok {
		return true
	}
	if l.before.size == 0 {
		l.before = t.v.whole()
	}
	return l.before == t.v.whole()
}

// positive returns the terms of an alternative as they are, and those of a
// conjunction as their opposites, so that "not 1 and not 2" is the opposite
// of an alternative too. It is its own inverse.
func positive(f formula, op operator) formula {
	if op == opOr {
		return f
	}
	if n, ok := f.(not); ok {
		return n.f
	}
	return not{f}
}

// merge returns a formula that holds if any of the formulas does, which are
// alike; or nil if it cannot.
func (l *lister) merge(list []formula) formula {
	if result, ok := l.known(list); ok {
		return result
	}
	result := l.mergeAnew(list)
	if _, ok := list[0].(junction); ok {
		l.latest = append(l.latest, mergedList{list, result})
		if len(l.latest) > maxLatest {
			l.latest = l.latest[1:]
		}
	}
	return result
}

// mergeAnew is merge for a list that has not come up before.
func (l *lister) mergeAnew(list []formula) formula {
	if same(list) {
		return list[0]
	}
	if merged, ok := l.ports(list); ok {
		return merged
	}
	list = opened(list)
	if tuples := tuplesOf(list); tuples != nil {
		return l.trie(tuples)
	}
	first, ok := list[0].(junction)
	for _, f := range list {
		// What seemed to be tuples can have different forms.
		j, isJunction := f.(junction)
		if ok = ok && isJunction && slices.Equal(j.ops, first.ops); !ok {
			return nil
		}
	}
	// An alternative of alternatives is one alternative of all. Of
	// conjunctions, all parts but one must be the same.
	terms := make([]formula, len(first.terms))
	differ := 0
	for i := range terms {
		column := make([]formula, len(list))
		for n, f := range list {
			column[n] = f.(junction).terms[i]
		}
		if !same(column) {
			differ++
		}
		if terms[i] = l.merge(column); terms[i] == nil {
			return nil
		}
	}
	if slices.Contains(first.ops, opAnd) && differ > 1 {
		return nil
	}
	return junction{terms, first.ops}
}

// same reports whether all formulas are equal.
func same(list []formula) bool {
	for _, f := range list[1:] {
		if !compareFormulas(list[0], f, false) {
			return false
		}
	}
	return true
}

// alike reports whether two formulas have the same form: they differ in
// numbers and masks only.
func alike(f, g formula) bool { return compareFormulas(f, g, true) }

// compareFormulas reports whether f and g are equal, or alike.
func compareFormulas(f, g formula, alike bool) bool {
	if p, ok := f.(portTest); ok {
		if q, ok := g.(portTest); ok && p.shape == q.shape {
			return alike || p == q
		}
	}
	f, g = bare(f), bare(g)
	if alike {
		if v, ok := firstValue(f); ok {
			w, ok := firstValue(g)
			return ok && v.whole() == w.whole()
		}
	}
	switch f := f.(type) {
	case test:
		g, ok := g.(test)
		return ok && f == g
	case always:
		_, ok := g.(always)
		return ok
	case not:
		g, ok := g.(not)
		return ok && compareFormulas(f.f, g.f, alike)
	case junction:
		g, ok := g.(junction)
		if !ok || !slices.Equal(f.ops, g.ops) || alike && !uniform(f.ops) {
			return false
		}
		for i, t := range f.terms {
			if !compareFormulas(t, g.terms[i], alike) {
				return false
			}
		}
		return true
	}
	return false
}

// firstValue returns the value that a tuple looks at first. It is not ok for
// formulas that are certainly no tuples.
func firstValue(f formula) (v value, ok bool) {
	switch f := bare(f).(type) {
	case test:
		return f.v, f.rel.ordered() && f.v.simple()
	case not:
		if t, ok := bare(f.f).(test); ok {
			return t.v, t.v.simple() && t.rel.ordered()
		}
	case junction:
		if slices.Contains(f.ops, opOr) {
			return v, false
		}
		for i, term := range f.terms {
			first, ok := firstValue(term)
			if !ok {
				return v, false
			}
			if i == 0 {
				v = first
			}
		}
		return v, true
	}
	return v, false
}

// uniform reports whether all operators are the same.
func uniform(ops []operator) bool {
	for _, op := range ops {
		if op != ops[0] {
			return false
		}
	}
	return true
}
