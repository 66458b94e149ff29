package bpfc

import (
	"cmp"
	"slices"
)

// unlikely is the rank of all numbers that are not likely.
const unlikely = 9

// rank orders numbers of protocols, those first that most packets have. Which
// field a number stands in does not matter: EtherTypes are greater than
// protocols above IP.
func rank(k uint32) int {
	switch k {
	case etherIPv4:
		return 0
	case etherIPv6:
		return 1
	case protoTCP:
		return 2
	case protoUDP:
		return 3
	case protoICMP:
		return 4
	case protoICMP6:
		return 5
	case etherARP:
		return 6
	case protoSCTP:
		return 7
	case etherRARP:
		return 8
	}
	return unlikely
}

// orderByLikelihood changes the order in which a value is compared with
// several numbers, so that most packets find theirs early. As a value has one
// number, the order makes no other difference.
func orderByLikelihood(g *graph, root *block) *block {
	order := inOrder(root)
	into := edgesInto(order)
	built := make([]*block, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id] = g.end(b)
			continue
		}
		// The tests of the value from b on, which only b leads to.
		row := []*block{b}
		last := b
		for last.no.comparesLike(b) && into[last.no.id] == 1 {
			last = last.no
			row = append(row, last)
		}
		slices.SortStableFunc(row, func(b, c *block) int {
			return cmp.Compare(rank(b.test.k), rank(c.test.k))
		})
		next := built[last.no.id]
		for i := len(row) - 1; i >= 0; i-- {
			next = g.block(row[i].test, built[row[i].yes.id], next)
		}
		built[b.id] = next
	}
	return built[root.id]
}

// comparesLike reports whether b and c compare the same value with one of the
// likely numbers each. Others keep their place: the ends of rows are often
// shared.
func (b *block) comparesLike(c *block) bool {
	return b.comparesLikely() && c.comparesLikely() && b.test.v == c.test.v
}

// comparesLikely reports whether b compares with one of the likely numbers.
func (b *block) comparesLikely() bool {
	return !b.returns() && !b.loads() && b.test.rel == relEqual && rank(b.test.k) < unlikely
}

// edgesInto returns the number of edges into blocks, by their ids.
func edgesInto(order []*block) []int {
	into := make([]int, order[0].id+1)
	for _, b := range order {
		if !b.returns() {
			into[b.yes.id]++
			into[b.no.id]++
		}
	}
	return into
}
