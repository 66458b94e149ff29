package bpfc

// thread removes tests whose outcome is known where they are reached: each
// edge goes on to the first block whose outcome is not known on that edge
// ("jump threading"). It returns the new root in g, and whether anything
// changed.
//
// Every packet meets the same remaining tests in the same order as before. A
// test is only passed over where its value has been loaded before, so no
// packet is rejected later, or not at all, for being too short.
//
// Blocks are visited in order, so that all edges into a block have found
// their new targets before it: what is known in it is what is known on all of
// them. Blocks that no edge leads to any more are not visited.
func thread(g *graph, root *block, sets *setTable) (*block, bool) {
	order := inOrder(root)
	at := places(order)
	n := len(order)
	changed := false
	ways := make([][2]int, n) // where the edges of blocks now go
	known := make([]facts, n)
	reached := make([]bool, n)
	known[0], reached[0] = numberValues(order, sets).nothing(), true
	for i, b := range order {
		if !reached[i] || b.returns() {
			continue
		}
		only, needless := known[i].needless(b)
		for side, result := range [2]bool{true, false} {
			var here facts
			if b.loads() || needless {
				here = known[i].load(b.test.v)
			} else {
				here = known[i].learn(b.test, result)
			}
			next := b.target(result)
			if needless {
				next = only
			}
			to, passed := here.pass(next)
			passed = passed || needless
			changed = changed || passed
			j := at[to.id]
			ways[i][side] = j
			if reached[j] {
				here = known[j].meet(here)
			}
			known[j], reached[j] = here, true
		}
		known[i] = facts{} // needed no more
	}
	if !changed {
		return root, false
	}

	built := make([]*block, n)
	for i := n - 1; i >= 0; i-- {
		switch b := order[i]; {
		case !reached[i]:
		case b.returns():
			built[i] = g.end(b)
		default:
			built[i] = g.branch(b.test, built[ways[i][0]], built[ways[i][1]])
		}
	}
	return built[0], true
}

// needless reports whether the packets of one result of a test can go where
// those of the other go: from there, they come to the same place.
func (f facts) needless(b *block) (next *block, ok bool) {
	if b.loads() {
		return nil, false
	}
	for _, result := range [2]bool{true, false} {
		other := b.target(!result)
		if !b.testsAgain(other) {
			continue
		}
		here := f.learn(b.test, result)
		to, _ := here.pass(b.target(result))
		if next, passed := here.pass(other); passed && next == to {
			return other, true
		}
	}
	return nil, false
}

// testsAgain reports whether the block next tests the value of b, too.
func (b *block) testsAgain(next *block) bool {
	return !next.returns() && next.test.v.whole() == b.test.v.whole()
}

// pass returns the first block from b on whose test must be made, and whether
// that is another block than b.
func (f facts) pass(b *block) (to *block, passed bool) {
	for !b.returns() {
		result, ok := f.decide(b.test)
		if !ok && b.yes == b.no {
			ok = f.proven.covers(b.test.v) // all that counts is the load
		}
		if !ok {
			break
		}
		b, passed = b.target(result), true
	}
	return b, passed
}

// target returns where the block goes on a result of its test.
func (b *block) target(result bool) *block {
	if result {
		return b.yes
	}
	return b.no
}
