package bpfc

import "slices"

// protocolAndOffset is the mask of the first four bytes from IPv4's fragment
// field on: they end in the protocol.
const protocolAndOffset = fragmentOffset<<16 | 0xff

// joinFragments loads the fragment field and the protocol of IPv4 packets at
// once where a packet is wanted only if it has one of several protocols and is
// no later fragment, as for "port 53". Both loads fail for the same packets.
func joinFragments(g *graph, root *block) *block {
	order := inOrder(root)
	testsFragment := func(b *block) bool { return b.test.rel == relAnyBit && b.test.k == fragmentOffset }
	if !slices.ContainsFunc(order, testsFragment) {
		return root
	}
	into := edgesInto(order)
	built := make([]*block, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id] = g.end(b)
			continue
		}
		row, other := fragmentRow(b, into)
		if len(row) == 0 {
			built[b.id] = g.branch(b.test, built[b.yes.id], built[b.no.id])
			continue
		}
		v := b.test.v
		v.off, v.size, v.mask = v.off-ipv4Protocol+ipv4Fragment, 4, protocolAndOffset
		next := built[other.id]
		for i := len(row) - 1; i >= 0; i-- {
			next = g.branch(test{v, relEqual, row[i].test.k}, built[row[i].yes.no.id], next)
		}
		built[b.id] = next
	}
	return built[root.id]
}

// fragmentRow returns the tests of the protocol from b on that all lead to a
// test of the fragment's offset, if TCP and UDP are among them, and where the
// other packets go: those of other protocols, and later fragments.
func fragmentRow(b *block, into []int) (row []*block, other *block) {
	likely := 0
	for other = b; other == b || into[other.id] == 1; other = other.no {
		if other.returns() || other.test.v != b.test.v || other.test.rel != relEqual ||
			other.loads() || !other.yes.isFragmentOf(b.test.v) {
			break
		}
		if other.test.k == protoTCP || other.test.k == protoUDP {
			likely++
		}
		row = append(row, other)
	}
	for _, r := range row {
		if r.yes.yes != other {
			return nil, nil
		}
	}
	if likely < 2 {
		return nil, nil
	}
	return row, other
}

// isFragmentOf reports whether the block tests the fragment's offset of the
// IPv4 header whose protocol is v.
func (b *block) isFragmentOf(v value) bool {
	if b.returns() || b.loads() || b.test.rel != relAnyBit || b.test.k != fragmentOffset {
		return false
	}
	f := b.test.v
	return v.size == 1 && f.size == 2 && f.from == v.from && f.base == v.base &&
		v.mask == allOnes && f.mask == allOnes && f.off+ipv4Protocol == v.off+ipv4Fragment &&
		(v.from == fromStart || v.from == fromHeader)
}
