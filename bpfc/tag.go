package bpfc

// Of live packets, the first "vlan" moves the headers only where it finds its
// tag in the packet. libpcap's programs note that when they come to "vlan": of
// packets that they accept or reject on another way, as those that are not TCP
// in "tcp and vlan or udp", nothing has moved for the text after it.

// chain resolves terms with operators between them.
func (r *resolver) chain(e *chain) (formula, error) {
	terms := make([]formula, len(e.terms))
	tag := 0 // the term with the first tag, if it can be passed by
	for i, t := range e.terms {
		if tag > 0 && e.ops[i-1] != e.ops[tag-1] {
			r.where = r.where.without(passing(terms[:tag], e.ops))
			tag = 0
		}
		before := r.where.hasTag()
		f, err := r.resolve(t)
		if err != nil {
			return nil, err
		}
		terms[i] = f
		if !before && r.where.hasTag() {
			tag = i
		}
	}
	if tag > 0 {
		r.where = r.where.without(passing(terms[:tag], e.ops))
	}
	return junction{terms, e.ops}, nil
}

// passing holds for packets that pass by the term behind the given ones.
func passing(terms []formula, ops []operator) formula {
	n := len(terms)
	f := formula(junction{terms, ops[:n-1]})
	if ops[n-1] == opAnd {
		return not{f}
	}
	return f
}

// hasTag reports whether there is a choice by the tag of a live packet.
func (w *where) hasTag() bool {
	return w.cond != nil && (w.tag || w.yes.hasTag() || w.no.hasTag())
}

// without returns where the headers are if nothing moves by the tag for the
// packets of which f holds.
func (w *where) without(f formula) *where {
	if w.cond == nil {
		return w
	}
	n := *w
	if n.tag {
		n.cond = w.calcs().choose(anyOf(f, n.cond))
	}
	n.yes, n.no = w.yes.without(f), w.no.without(f)
	return &n
}

// calcs returns those of all layers.
func (w *where) calcs() *calcs {
	for w.cond != nil {
		w = w.yes
	}
	return w.layer.calcs
}

// A decided is a formula that is asked again and again. While a program is
// folded it is a single test, of a value that does not exist, so that what one
// place learns another one knows. Later expandChoices puts the formula there.
type decided struct {
	v value
	f formula
}

// choose returns f as one that is asked again and again.
func (s *calcs) choose(f formula) formula {
	s.choices = append(s.choices, f)
	return decided{value{from: fromChoice, size: 1, off: uint32(len(s.choices) - 1), mask: allOnes}, f}
}

func (d decided) blocks(g *graph, yes, no *block) *block {
	if g.chooses {
		return g.branch(test{d.v, relEqual, 1}, yes, no)
	}
	return d.f.blocks(g, yes, no)
}

// expandChoices puts the formulas of choices where they are tested.
func expandChoices(root *block, choices []formula) *block {
	if len(choices) == 0 {
		return root
	}
	g := newGraph()
	built := make([]*block, root.id+1)
	order := inOrder(root)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id] = g.end(b)
			continue
		}
		yes, no := built[b.yes.id], built[b.no.id]
		switch {
		case b.test.v.from != fromChoice:
			built[b.id] = g.branch(b.test, yes, no)
		case yes == no:
			built[b.id] = yes
		default:
			built[b.id] = choices[b.test.v.off].blocks(g, yes, no)
		}
	}
	return built[root.id]
}
