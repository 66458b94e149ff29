package bpfc

// maxRounds bounds how often threading is repeated. A round can make blocks
// equal that were not, and so bring ways together; most filters settle in
// two rounds.
const maxRounds = 8

// The number of members that a search tree compares one by one. With the
// first, a tree is about a twelfth larger than the row of comparisons that
// libpcap makes, and a packet meets eight of them at the end of its way. The
// second, for programs that are too long with the first, makes them short.
const (
	fastLeaf  = 12
	smallLeaf = 100
)

// optimize returns the first block of a smaller and faster program, for one
// that has been folded.
func optimize(root *block, sets *setTable) *block {
	root = threadAll(root, sets)
	root = gatherSets(newGraph(), root, sets)
	root = pullUp(newGraph(), root)
	root = threadAll(root, sets)
	root = orderByLikelihood(newGraph(), root)
	return shareTwins(root, sets)
}

// threadAll threads until nothing changes, or nothing becomes smaller.
func threadAll(root *block, sets *setTable) *block {
	size := 0
	for range maxRounds {
		g := newGraph()
		next, changed := thread(g, root, sets)
		root = next
		if !changed || g.blocks == size {
			break
		}
		size = g.blocks
	}
	return root
}

// expand replaces tests of sets by search trees.
func expand(root *block, sets *setTable, leaf int) *block {
	g := newScatter()
	order := inOrder(root)
	built := make([]*block, len(order))
	at := places(order)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[i] = g.end(b)
			continue
		}
		yes, no := built[at[b.yes.id]], built[at[b.no.id]]
		switch {
		case b.setup != nil:
			built[i] = g.prepare(b.setup, yes)
		case b.test.rel == relMember:
			v := b.test.v
			d := sets.sets[b.test.k].decide(v, interval{0, v.max()}, leaf)
			built[i] = d.blocks(g, yes, no)
		default:
			built[i] = g.block(b.test, yes, no)
		}
	}
	return built[0]
}
