package bpfc

import "slices"

// gatherSets finds runs of blocks that ask whether one of several values is
// in one of several sets, such as "port 1 or 2 or 3 ...", and asks once for
// each value, with a search tree. It builds the program anew in g.
//
// The tests of a run may change places if all their loads are proven to lie
// within the packet once the first one has succeeded. Tests of equality may
// change places anyway: there the optimizer of libpcap brings those of equal
// values together as well, so that truncated packets fare as in its program.
//
// It returns the new root, and whether it has gathered anything.
func gatherSets(g *graph, root *block, sets *setTable, moves bool) (*block, bool) {
	order := inOrder(root)
	s := gatherer{g: g, sets: sets, moves: moves, built: make(map[*block]*block, len(order))}
	s.prove(order)
	root = s.build(root)
	return root, s.changed
}

type gatherer struct {
	g       *graph
	sets    *setTable
	moves   bool // tests of equality may change places
	changed bool
	built   map[*block]*block // blocks of g for those of the old graph
	into    map[*block]int    // number of edges into a block
	proven  map[*block]extent // before its load
}

// prove fills in the edges and extents.
func (s *gatherer) prove(order []*block) {
	s.into = make(map[*block]int, len(order))
	s.proven = make(map[*block]extent, len(order))
	for _, b := range order {
		if b.returns() {
			continue
		}
		after := s.proven[b].with(b.test.v)
		for _, to := range [2]*block{b.yes, b.no} {
			if s.into[to] == 0 {
				s.proven[to] = after
			} else {
				s.proven[to] = s.proven[to].meet(after)
			}
			s.into[to]++
		}
	}
}

// build returns the block of the new graph for b.
func (s *gatherer) build(b *block) *block {
	if b.returns() {
		return s.g.end(b)
	}
	if done, ok := s.built[b]; ok {
		return done
	}
	run := s.longestRun(b)
	var made *block
	if run.pays() {
		next := s.build(run.next)
		hit := s.build(run.hit)
		for i := len(run.groups) - 1; i >= 0; i-- {
			next = run.groups[i].blocks(s.g, hit, next)
		}
		made, s.changed = next, true
	} else {
		made = s.g.branch(b.test, s.build(b.yes), s.build(b.no))
	}
	s.built[b] = made
	return made
}

// A run is a row of tests that go to hit if a value is in a set and else to
// the next test, after the last one to next.
type run struct {
	hit, next *block
	members   []member
	groups    []gathered // one for each value, in the order of first use
	size      int        // instructions of the members
	largest   int        // most tests of one value
	proven    bool       // no load but the first one can fail
}

// A gathered tells for one value whether it is in the set of a run.
type gathered struct {
	formula
	v    value
	in   set
	size int // instructions
}

// A member is one or two blocks that go to the hit of a run if v is in set.
type member struct {
	v    value
	set  set
	size int // number of blocks
	next *block

	plain bool // a single test of equality, which holds for hits
}

// longestRun returns the longest run that begins with b.
func (s *gatherer) longestRun(b *block) run {
	hits := []*block{b.yes, b.no}
	for _, to := range [2]*block{b.yes, b.no} {
		if !to.returns() && to.test.v == b.test.v {
			hits = append(hits, to.yes, to.no) // b begins a range
		}
	}
	var longest run
	for _, hit := range hits {
		if r := s.runFrom(b, hit); len(r.members) > len(longest.members) {
			longest = r
		}
	}
	if len(longest.members) > 1 {
		longest.gather(s.sets)
	}
	return longest
}

// runFrom returns the longest run that begins with b and has hit as its hit.
func (s *gatherer) runFrom(b, hit *block) run {
	r := run{hit: hit, next: b}
	first := s.proven[b].with(b.test.v)
	plain := s.moves
	r.proven = true
	for {
		m, ok := s.member(r.next, hit)
		if !ok {
			break
		}
		proven := r.proven && (len(r.members) == 0 || first.covers(m.v))
		plain = plain && m.plain
		if !proven && !plain {
			break
		}
		if n := len(r.members); n > 0 {
			// Only the run itself may lead to the block.
			if s.into[r.next] != r.members[n-1].size {
				break
			}
		}
		r.members = append(r.members, m)
		r.next, r.proven = m.next, proven
	}
	return r
}

// member returns b as a member of a run to hit. A range of numbers takes two
// blocks, of which the second is reached from the first only.
func (s *gatherer) member(b, hit *block) (member, bool) {
	if b.returns() {
		return member{}, false
	}
	for _, outcome := range [2]bool{true, false} {
		to, next := b.target(outcome), b.target(!outcome)
		if next == hit || to != hit &&
			(to.returns() || to.test.v != b.test.v || s.into[to] != 1) {
			continue
		}
		first, ok := s.sets.numbers(b.test, outcome)
		if !ok {
			continue
		}
		if to == hit {
			plain := outcome && b.test.rel == relEqual && b.test.v.simple()
			return member{b.test.v, first, 1, next, plain}, true
		}
		inside := to.yes == hit
		if to.target(inside) != hit || to.target(!inside) != next {
			continue
		}
		if second, ok := s.sets.numbers(to.test, inside); ok {
			both := second
			if len(first) == 1 {
				both = second.within(first[0])
			} else if len(second) == 1 {
				both = first.within(second[0])
			} else {
				continue
			}
			return member{b.test.v, both, 2, next, false}, true
		}
	}
	return member{}, false
}

// gather joins the sets of equal values.
func (r *run) gather(table *setTable) {
	type members struct {
		set   set
		tests int
	}
	var values []value
	sets := make(map[value]*members)
	for i, m := range r.members {
		tests := m.set.tests(m.v)
		r.size += tests
		if i == 0 || r.members[i-1].v != m.v {
			r.size += m.v.loads()
		}
		g, ok := sets[m.v]
		if !ok {
			g = &members{}
			sets[m.v] = g
			values = append(values, m.v)
		}
		g.set = append(g.set, m.set...)
		g.tests += tests
		r.largest = max(r.largest, g.tests)
	}
	for _, v := range values {
		all := sets[v].set.normal()
		r.groups = append(r.groups, gathered{table.member(v, all), v, all, all.tests(v) + v.loads()})
	}
	if r.proven {
		r.joinPrefixes(table)
	}
}

// joinPrefixes makes one group of those of prefixes of one field that are of
// several lengths: each is a range of the whole field.
func (r *run) joinPrefixes(table *setTable) {
	for i := 0; i < len(r.groups); i++ {
		v := r.groups[i].v
		if !isPrefix(v) {
			continue
		}
		var in set
		n, size := 0, 0
		for _, g := range r.groups[i:] {
			if g.of(v) {
				in = append(in, g.v.unmasked(g.in)...)
				size += g.size
				n++
			}
		}
		in, v = in.normal(), v.whole()
		joined := gathered{v: v, in: in, size: in.tests(v) + v.loads()}
		if n == 1 || joined.size > size {
			continue
		}
		joined.formula = table.member(v, in)
		r.groups[i] = joined
		rest := slices.DeleteFunc(r.groups[i+1:], func(g gathered) bool { return g.of(v) })
		r.groups = r.groups[:i+1+len(rest)]
	}
}

// of reports whether the group is about a prefix of the field of v, or all of
// the field.
func (g gathered) of(v value) bool { return isPrefix(g.v) && g.v.whole() == v.whole() }

// manyTests is from how many tests of one value on a search tree may be a
// little larger than the tests that it replaces.
const manyTests = minSplit

// pays reports whether the groups are better than the members: smaller, or
// faster without being much larger.
func (r *run) pays() bool {
	if len(r.members) < 2 || r.groups[0].size == r.groups[0].v.loads() {
		// The first load is what proves the others: it must stay, even if
		// the set turns out to hold every number.
		return false
	}
	size := 0
	for _, g := range r.groups {
		size += g.size
	}
	return size < r.size || r.largest >= manyTests && size <= r.size+max(1, r.size/10)
}

// loads returns the number of instructions that load v, without those for X.
func (v value) loads() int {
	if v.mask != allOnes {
		return 2
	}
	return 1
}
