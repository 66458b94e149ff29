package bpfc

// dropLoads leaves out blocks that only load where all packets that are
// accepted behind them meet a load that fails wherever theirs would.
func dropLoads(g *graph, root *block) *block {
	order := inOrder(root)
	built := make([]*block, root.id+1)
	ahead := make([]demand, root.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id], ahead[b.id] = g.end(b), demand{rejects: !b.accept}
			continue
		}
		n := ahead[b.yes.id].meet(ahead[b.no.id])
		if b.loads() && n.covers(b.test.v) {
			built[b.id], ahead[b.id] = built[b.yes.id], n
			continue
		}
		built[b.id] = g.branch(b.test, built[b.yes.id], built[b.no.id])
		n.extent = n.with(b.test.v)
		ahead[b.id] = n
	}
	return built[root.id]
}

// A demand is how long a packet must be to be accepted from a place on.
type demand struct {
	extent
	rejects bool // no packet is accepted
}

// meet returns what all packets need that are accepted on one of two ways.
func (n demand) meet(m demand) demand {
	switch {
	case n.rejects:
		return m
	case m.rejects:
		return n
	}
	return demand{extent: n.extent.meet(m.extent)}
}

// covers reports whether no packet is accepted for which loading v fails.
func (n demand) covers(v value) bool { return n.rejects || n.extent.covers(v) }
