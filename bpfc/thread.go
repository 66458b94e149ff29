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
// their new targets before it. The dominators of the blocks are those of the
// new program, and blocks that no edge leads to any more are not visited.
func thread(g *graph, root *block) (*block, bool) {
	order := inOrder(root)
	at := places(order)
	n := len(order)
	changed := false
	next := make([][2]int, n) // where the edges of blocks now go

	// Node i of the tree is block i, node n+2i its edge for yes and node
	// n+2i+1 its edge for no.
	tree := newDomTree(3 * n)
	known := make([]facts, 3*n)
	known[0] = numberValues(order).nothing()
	for i, b := range order {
		p := tree.parent[i]
		if p == nowhere {
			continue
		}
		if i > 0 {
			tree.settle(int32(i))
			known[i] = known[p]
		}
		if b.returns() {
			continue
		}
		for side, result := range [2]bool{true, false} {
			edge := int32(n + 2*i + side)
			tree.reach(edge, int32(i))
			tree.settle(edge)
			known[edge] = known[i].learn(b.test, result)
			to, passed := known[edge].pass(b.target(result))
			changed = changed || passed
			next[i][side] = at[to]
			tree.reach(int32(at[to]), edge)
		}
	}
	if !changed {
		return root, false
	}

	built := make([]*block, n)
	for i := n - 1; i >= 0; i-- {
		switch b := order[i]; {
		case tree.parent[i] == nowhere:
		case b.returns():
			built[i] = g.end(b)
		default:
			built[i] = g.branch(b.test, built[next[i][0]], built[next[i][1]])
		}
	}
	return built[0], true
}

// pass returns the first block from b on whose test must be made, and whether
// that is another block than b.
func (f facts) pass(b *block) (to *block, passed bool) {
	for !b.returns() {
		result, ok := f.decide(b.test)
		if !ok && b.yes == b.no {
			_, ok = f.known(b.test.v) // all that counts is that it is loaded
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
