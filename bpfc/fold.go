package bpfc

// foldAll folds until nothing changes.
func foldAll(root *block) *block {
	for range maxRounds {
		next, changed := fold(newScatter(), root)
		root = next
		if !changed {
			break
		}
	}
	return root
}

// fold leads edges past tests that repeat one before them, and past tests
// that lead to the same block either way, and drops the loads of what it
// passes. It returns the new root in g, and whether anything changed.
//
// This is what the optimizer of libpcap does, no more and no less: a packet
// that ends before a field which is not loaded any more can be accepted by the
// optimized program and rejected by the unoptimized one. In all that goes
// beyond, see thread, loads that can fail are kept. Thus the verdict on a
// truncated packet is that of one of libpcap's programs.
func fold(g *graph, root *block) (*block, bool) {
	order := inOrder(root)
	at := places(order)
	changed := false
	next := make([][2]*block, len(order))
	known := make([]*outcome, len(order))
	reached := make([]bool, len(order))
	reached[0] = true
	for i, b := range order {
		if !reached[i] || b.returns() {
			continue
		}
		for side, result := range [2]bool{true, false} {
			here := known[i]
			if !b.loads() {
				here = here.with(b, result)
			}
			to := b.target(result)
			for passed := here.pass(to); passed != to; passed = here.pass(to) {
				to, changed = passed, true
			}
			next[i][side] = to
			j := at[to.id]
			if reached[j] {
				here = known[j].meet(here)
			}
			known[j], reached[j] = here, true
		}
		changed = changed || next[i][0] == next[i][1] && !b.loads()
	}
	if !changed {
		return root, false
	}

	built := make([]*block, len(order))
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		switch {
		case !reached[i]:
		case b.returns():
			built[i] = g.end(b)
		default:
			yes, no := built[at[next[i][0].id]], built[at[next[i][1].id]]
			switch {
			case b.loads():
				built[i] = g.load(b.test.v, yes)
			case yes == no:
				built[i] = yes
			default:
				g.written = b.written
				built[i] = g.block(b.test, yes, no)
				g.written = false
			}
		}
	}
	return built[0], true
}

// loads reports whether all that counts of the block is the load.
func (b *block) loads() bool { return b.yes == b.no && !b.returns() }

// An outcome is the result of a test that was made on all ways to a place,
// and those before it. nil are no outcomes.
type outcome struct {
	of     seen
	result bool
	before *outcome
	match  *outcome // the last one before that held
	depth  int
}

// maxOutcomes bounds how many outcomes are looked at that did not hold.
const maxOutcomes = 64

// with returns the outcomes with one more.
func (o *outcome) with(b *block, result bool) *outcome {
	s, turned := b.seen(false)
	next := o.then(s, result != turned)
	return &next
}

// then is with for an outcome that is kept elsewhere.
func (o *outcome) then(s seen, result bool) outcome {
	next := outcome{of: s, result: result, before: o}
	if o != nil {
		next.depth = o.depth + 1
		next.match = o.match
		if o.result {
			next.match = o
		}
	}
	return next
}

// meet returns the outcomes that are both in o and in p. As a test belongs to
// one place, they are those that o and p have from the same places.
func (o *outcome) meet(p *outcome) *outcome {
	for o != p {
		switch {
		case o == nil || p == nil:
			return nil
		case o.depth > p.depth:
			o = o.before
		case p.depth > o.depth:
			p = p.before
		default:
			o, p = o.before, p.before
		}
	}
	return o
}

// pass returns the target of b if the outcomes tell which, else b.
func (o *outcome) pass(b *block) *block {
	if b.returns() || b.loads() {
		return b
	}
	s, turned := b.seen(false)
	if result, ok := o.tells(s); ok {
		return b.target(result != turned)
	}
	return b
}

// tells returns the result of a test that the outcomes tell.
func (o *outcome) tells(s seen) (result, ok bool) {
	if result, ok := s.settled(); ok {
		return result, true
	}
	for p := o; p != nil; p = p.match {
		if result, ok := p.decides(s); ok {
			return result, true
		}
	}
	n := 0
	for p := o; p != nil && n < maxOutcomes; p, n = p.before, n+1 {
		if result, ok := p.decides(s); ok {
			return result, true
		}
	}
	return false, false
}

// decides returns the result of a test that the last outcome tells.
func (o *outcome) decides(s seen) (result, ok bool) {
	switch {
	case o.of.rel != s.rel || !o.of.sameA(s):
		return false, false
	case o.of.k == s.k:
		return o.result, true
	}
	return false, o.result && s.rel == relEqual
}
