package bpfc

import "slices"

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

// minSplit is from how many members on a row of comparisons is split.
const minSplit = 6

// A care says which loads are dropped and moved because libpcap's optimizer
// does it. Where it does not, those that can fail stay where they are.
type care uint8

const (
	careUsual  care = iota // all loads can be dropped and moved
	careFork               // the same, but headers can be in several places
	careTunnel             // not those that depend on others, as of what tunnels carry
	careGeneve             // none: with "geneve", libpcap does not optimize
	careChain              // none: with "protochain" neither
)

// optimize returns the first blocks of smaller and faster programs that do the
// same.
func optimize(root *block, sets *setTable, c care, exact bool) []*block {
	gathered, changed := gatherSets(newGraph(), root, sets, c < careGeneve && !exact)
	roots := finish(gathered, sets, c, exact)
	if changed && root.id <= maxMoved {
		roots = append(roots, finish(root, sets, c, exact)...)
	}
	return roots
}

// settle does what libpcap's optimizer does with the tests of a program, or a
// part of that where it would take too long. The program still begins with the
// load of start, if that is a value: libpcap's optimizer does not drop the first
// load of an expression, even where it drops the test.
func settle(root *block, start value, c care, sets *setTable) (next *block, exact bool) {
	ends := false
	switch {
	case c >= careGeneve:
		return root, false
	case c >= careTunnel || root.id > maxMoved:
		root = foldAll(root)
		ends = root.returns()
	default:
		root, ends = moveBranches(root, sets)
		exact = true
	}
	if start.size > 0 && !ends && (root.returns() || root.test.v != start) {
		root = &block{id: root.id + 1, test: test{v: start}, yes: root, no: root}
	}
	return root, exact
}

// finish runs the passes after the tests have been gathered.
func finish(root *block, sets *setTable, c care, exact bool) []*block {
	if c < careGeneve && !exact {
		root = pullUp(newGraph(), root)
	}
	root = threadAll(root, sets)
	if slices.ContainsFunc(inOrder(root), (*block).loads) {
		root = dropLoads(newGraph(), root)
	}
	return arrange(root, sets, c)
}

// arrange runs the passes that do not change what is known where.
func arrange(root *block, sets *setTable, c care) []*block {
	root = orderByLikelihood(newGraph(), root)
	root = joinFragments(newGraph(), root)
	root = unmask(newGraph(), root)
	roots := []*block{shareTwins(root, sets, false)}
	if c >= careFork {
		roots = append(roots, shareTwins(root, sets, true))
	}
	return roots
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

// expand replaces tests of sets by search trees. It is not ok if there would be
// too many blocks.
func expand(root *block, sets *setTable, leaf int) (first *block, ok bool) {
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
			s, leaf := sets.sets[b.test.k], leaf
			if leaf == fastLeaf {
				leaf = fastLeafOf(len(s))
			}
			d := s.decide(v, interval{0, v.max()}, leaf)
			built[i] = d.blocks(g, yes, no)
		default:
			built[i] = g.block(b.test, yes, no)
		}
	}
	return built[0], !g.full
}
