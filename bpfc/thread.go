package bpfc

// thread removes tests whose outcome is known where they are reached: each
// edge goes on to the first block whose outcome is not known on that edge
// ("jump threading"). It returns the new root in g, and whether anything
// changed.
//
// Every packet meets the same remaining tests in the same order as before. A
// test is only passed over where its value has been loaded before, so no
// packet is rejected later, or not at all, for being too short.
func thread(g *graph, root *block) (*block, bool) {
	order := inOrder(root)
	tree := dominators(order)
	below := tree.children()
	known := newFacts()
	changed := false
	next := make([][2]*block, len(order)) // where the edges of blocks now go

	skip := func(b *block) *block {
		for !b.returns() {
			outcome, ok := known.decide(b.test)
			if !ok && (b.yes != b.no || !known.loaded(b.test.v)) {
				break
			}
			b = b.target(outcome)
			changed = true
		}
		return b
	}
	// In the order of the walk, all edges that lead to a block come before
	// it, so that it is known whether any still does. Blocks that are passed
	// over on all ways need no work, which keeps long lists linear.
	live := make(map[*block]bool, len(order))
	start := skip(root)
	live[start] = true
	var walk func(node int32)
	walk = func(node int32) {
		mark := known.mark()
		if edge := int(node) - tree.n; edge >= 0 {
			b, outcome := order[edge/2], edge%2 == 0
			known.learn(b.test, outcome)
			if live[b] {
				to := skip(b.target(outcome))
				next[edge/2][edge%2] = to
				live[to] = true
			}
		}
		for _, child := range below[node] {
			walk(child)
		}
		known.forget(mark)
	}
	walk(0)
	if !changed {
		return root, false
	}

	built := make(map[*block]*block, len(live))
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		switch {
		case !live[b]:
		case b.returns():
			built[b] = g.end(b)
		default:
			built[b] = g.branch(b.test, built[next[i][0]], built[next[i][1]])
		}
	}
	return built[start], true
}

// target returns where the block goes on an outcome of its test.
func (b *block) target(outcome bool) *block {
	if outcome {
		return b.yes
	}
	return b.no
}
