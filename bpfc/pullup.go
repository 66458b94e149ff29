package bpfc

// pullUp swaps two tests of a conjunction or an alternative if the second one tests the value
// that the block before them has left in A: in "host 1.1.1.1 and 2.2.2.2", of
// a packet whose source is not 1.1.1.1 the source is compared again before the
// destination. That saves a load. The optimizer of libpcap does the same, so
// truncated packets fare as in its program.
func pullUp(g *graph, root *block) *block {
	order := inOrder(root)
	into := edgesInto(order)
	inA := valuesBefore(order)
	built := make([]*block, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		switch {
		case b.returns():
			built[b.id] = g.end(b)
			continue
		case b.loads():
			built[b.id] = g.load(b.test.v, built[b.yes.id])
			continue
		}
		built[b.id] = g.branch(b.test, built[b.yes.id], built[b.no.id])
		for _, result := range [2]bool{true, false} {
			second, other := b.target(result), b.target(!result)
			if second.returns() || second.loads() || into[second.id] != 1 ||
				second.test.v == b.test.v || inA[b.id] != second.test.v ||
				!b.test.v.simple() {
				continue
			}
			// Only where both tests need the same result to go on.
			if second.target(!result) != other {
				continue
			}
			to, end := built[second.target(result).id], built[other.id]
			first := g.branchOn(b.test, result, to, end)
			built[b.id] = g.branchOn(second.test, result, first, end)
		}
	}
	return built[root.id]
}

// branchOn returns the block that tests t and goes to hit for the result.
func (g *graph) branchOn(t test, result bool, hit, other *block) *block {
	if result {
		return g.branch(t, hit, other)
	}
	return g.branch(t, other, hit)
}

// valuesBefore returns by id the value that all blocks before a block test.
// Where there is none, it is one that no block tests.
func valuesBefore(order []*block) []value {
	none := value{from: fromIndex}
	before := make([]value, order[0].id+1)
	reached := make([]bool, order[0].id+1)
	before[order[0].id] = none
	for _, b := range order {
		if b.returns() {
			continue
		}
		for _, to := range [2]*block{b.yes, b.no} {
			if reached[to.id] && before[to.id] != b.test.v {
				before[to.id] = none
			} else {
				before[to.id], reached[to.id] = b.test.v, true
			}
		}
	}
	return before
}
