package bpfc

import (
	"cmp"
	"slices"
)

// likely are numbers of protocols, those first that most packets have. Which
// field a number stands in does not matter much: EtherTypes are greater than
// protocols above IP.
var likely = [...]uint32{etherIPv4, etherIPv6, protoTCP, protoUDP, protoICMP, protoICMP6}

// rank returns the place of a number among the likely ones.
func rank(k uint32) int {
	if i := slices.Index(likely[:], k); i >= 0 {
		return i
	}
	return len(likely)
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
		for !b.loads() && last.test.rel == relEqual && last.no.comparesLike(last) && into[last.no.id] == 1 {
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

// comparesLike reports whether b compares the same value as c with a number.
func (b *block) comparesLike(c *block) bool {
	return !b.returns() && !b.loads() && b.test.rel == relEqual && b.test.v == c.test.v
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
