package bpfc

import "slices"

// unmask replaces comparisons of the leading bits of a field by comparisons of
// the whole field with both ends of the range. These are as many instructions,
// of which fewer are executed for most packets that are outside. Where several
// numbers are compared with the same bits, the mask is better.
func unmask(g *graph, root *block) *block {
	order := inOrder(root)
	if !slices.ContainsFunc(order, (*block).comparesPrefix) {
		return root
	}
	shares := make([]bool, root.id+1) // the masked value with another test
	for _, b := range order {
		if b.returns() {
			continue
		}
		for _, to := range [2]*block{b.yes, b.no} {
			if !to.returns() && to.test.v == b.test.v {
				shares[b.id], shares[to.id] = true, true
			}
		}
	}
	built := make([]*block, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id] = g.end(b)
			continue
		}
		yes, no := built[b.yes.id], built[b.no.id]
		if v := b.test.v; b.comparesPrefix() && !shares[b.id] {
			built[b.id] = g.inRange(v.whole(), v.prefixed(b.test.k), yes, no)
		} else {
			built[b.id] = g.branch(b.test, yes, no)
		}
	}
	return built[root.id]
}

// comparesPrefix reports whether the block compares the leading bits of a field
// with a number.
func (b *block) comparesPrefix() bool {
	return !b.returns() && !b.loads() && b.test.rel == relEqual && b.test.v.mask != allOnes && isPrefix(b.test.v)
}

// prefixed returns the numbers of a whole field of which the leading bits are k.
func (v value) prefixed(k uint32) interval { return interval{k, k | v.whole().max()&^v.mask} }

// unmasked returns the numbers of a whole field of which the leading bits are
// in s.
func (v value) unmasked(s set) (whole set) {
	cut := v.prefixed(0).hi
	for _, i := range s {
		// Numbers with other bits, as next to one that is left out, do not occur.
		lo, hi := uint64(i.lo)+uint64(cut), uint64(i.hi|cut)
		if lo &^= uint64(cut); lo <= hi {
			whole = append(whole, interval{uint32(lo), uint32(hi)})
		}
	}
	return whole
}

// inRange returns the block that tells whether v is in r. Most of the numbers
// outside are found out by the first of two tests.
func (g *graph) inRange(v value, r interval, yes, no *block) *block {
	low, high := test{v, relGreaterEqual, r.lo}, test{v, relGreater, r.hi}
	switch most := v.max(); {
	case r.lo == 0:
		return g.branch(high, no, yes)
	case r.hi == most:
		return g.branch(low, yes, no)
	case most-r.hi > r.lo:
		return g.branch(high, no, g.branch(low, yes, no))
	}
	return g.branch(low, g.branch(high, no, yes), no)
}
