package bpfc

// Of live packets, the first "vlan" moves the headers only where it finds its
// tag in the packet. libpcap's programs note that when they come to "vlan": of
// packets that they accept or reject on another way, as those that are not TCP
// in "tcp and vlan or udp", nothing has moved for the text after it.

// chain resolves terms with operators between them.
func (r *resolver) chain(e *chain) (formula, error) {
	terms, ops := make([]formula, 0, len(e.terms)), e.ops
	var passing formula // holds for packets that pass by the first tag
	var op operator     // before the tag
	for i, t := range e.terms {
		if passing != nil && e.ops[i-1] != op {
			r.where = r.where.without(passing)
			passing = nil
		}
		before := r.where.hasTag()
		f, err := r.resolve(t)
		if err != nil {
			return nil, err
		}
		if i > 0 && !before && r.where.hasTag() {
			// What stands before it is asked again behind it.
			op = e.ops[i-1]
			left := r.where.calcs().choose(choiceOfPart, junction{terms, ops[:i-1]})
			terms, ops = []formula{left}, e.ops[i-1:]
			if passing = left; op == opAnd {
				passing = not{left}
			}
		}
		terms = append(terms, f)
	}
	if passing != nil {
		r.where = r.where.without(passing)
	}
	return junction{terms, ops}, nil
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
		n.cond = w.calcs().choose(choiceOfPlace, anyOf(f, n.cond))
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
// folded it can be a single test, of a value that does not exist, so that what
// one place learns another one knows. Later expandChoices puts the formula
// there.
type decided struct {
	kind choiceKind
	v    value
	f    formula
}

// A choiceKind is what a formula decides that is asked again and again. Those
// of one kind contain others, so that only one kind can be single tests.
type choiceKind uint8

const (
	noChoice      choiceKind = iota
	choiceOfPlace            // where the headers are
	choiceOfPart             // a part of that: what stands before a tag, or a tunnel
)

// choose returns f as one that is asked again and again.
func (s *calcs) choose(kind choiceKind, f formula) formula {
	s.choices = append(s.choices, f)
	s.chosen[kind]++
	v := value{from: fromChoice, size: 1, off: uint32(len(s.choices) - 1), mask: allOnes}
	return decided{kind, v, f}
}

func (d decided) blocks(g *graph, yes, no *block) *block {
	if g.chooses == d.kind {
		return g.branch(test{d.v, relEqual, 1}, yes, no)
	}
	return d.f.blocks(g, yes, no)
}

// expandChoices puts the formulas of choices where they are tested, as settled
// makes programs of them. It is not ok if there would be too many blocks.
func expandChoices(root *block, choices []formula, settled func(f formula) (*block, bool)) (first *block, ok bool) {
	g := newGraph()
	built := make([]*block, root.id+1)
	programs := make([]*block, len(choices))
	order := inOrder(root)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		if b.returns() {
			built[b.id] = g.end(b)
			continue
		}
		yes, no := built[b.yes.id], built[b.no.id]
		switch n := b.test.v.off; {
		case b.test.v.from != fromChoice:
			built[b.id] = g.branch(b.test, yes, no)
		case yes == no:
			built[b.id] = yes
		default:
			if programs[n] == nil {
				if programs[n], ok = settled(choices[n]); !ok {
					return nil, false
				}
			}
			built[b.id] = g.graft(programs[n], yes, no)
		}
	}
	return built[root.id], !g.full
}

// graft returns the first block of a program that goes to yes where the given
// one accepts, and to no where it rejects.
func (g *graph) graft(program, yes, no *block) *block {
	order := inOrder(program)
	built := make([]*block, program.id+1)
	for i := len(order) - 1; i >= 0; i-- {
		b := order[i]
		switch {
		case !b.returns():
			built[b.id] = g.branch(b.test, built[b.yes.id], built[b.no.id])
		case b.accept:
			built[b.id] = yes
		default:
			built[b.id] = no
		}
	}
	return built[program.id]
}
