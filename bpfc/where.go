package bpfc

import "errors"

// A where says where the headers of a packet are, at a place in the text. It
// is a layer, or if that depends on the packet, a choice.
type where struct {
	layer   layer
	cond    formula // nil if layer holds for all packets
	yes, no *where  // for those of which cond holds, and for the others
	tag     bool    // cond is that a live packet has its tag beside it
}

// leaf returns the where that is always l.
func leaf(l layer) *where { return &where{layer: l} }

// Bounds of the cases into which tunnels can split an expression, and of the
// primitives that are resolved for all cases together.
const (
	maxCases = 128
	maxSteps = 1 << 18
)

// leaves returns the number of layers.
func (w *where) leaves() int {
	if w.cond == nil {
		return 1
	}
	return w.yes.leaves() + w.no.leaves()
}

// A fork is one formula for the packets of which cond holds, and another one
// for the others.
type fork struct{ cond, yes, no formula }

func (f fork) blocks(g *graph, yes, no *block) *block {
	return f.cond.blocks(g, f.yes.blocks(g, yes, no), f.no.blocks(g, yes, no))
}

// A step resolves one primitive for one layer. It returns the formula and
// where the headers are for the text after it, nil for where they were.
type step func() (formula, *where, error)

// everywhere resolves the primitive e for every layer that packets can have
// here.
func (r *resolver) everywhere(e Expr, s step) (formula, error) {
	r.steps += r.where.leaves()
	if r.steps > maxSteps {
		return nil, r.fail(KindLimit, e, "", "the expression is too large for so many tunnels")
	}
	f, next, err := r.walk(r.where, e, s)
	if err != nil {
		return nil, err
	}
	r.where = next
	if r.where.leaves() > maxCases {
		return nil, r.fail(KindLimit, e, "", "too many tunnels within tunnels")
	}
	return f, nil
}

// wholly resolves an expression with parts that does not move the headers: all
// of it for each layer, so that packets choose among the layers once. It is not
// ok for others, and where there is an error in one of the layers.
func (r *resolver) wholly(e Expr) (f formula, ok bool) {
	switch e.(type) {
	case *chain, *negation, *group, *qualified:
	default:
		return nil, false
	}
	if moves(e) {
		return nil, false
	}
	before, notes, again := r.where, r.notes, r.again
	failed := false
	f, err := r.everywhere(e, func() (formula, *where, error) {
		outside := r.where
		r.where, r.again = leaf(r.layer), true
		f, err := r.resolve(e)
		r.where = outside
		failed = failed || err != nil
		return f, nil, err
	})
	r.again = again
	if err != nil || failed {
		r.where, r.notes, r.parted = before, notes, true
		return nil, false
	}
	return f, true
}

// moves reports whether text behind e can be about other headers.
func moves(e Expr) bool {
	return contains(e, func(e Expr) bool { _, ok := e.(*encapsulation); return ok })
}

// walk is everywhere for the part w.
//
// What the packets outside of a tunnel do not have is no error: "geneve and
// vlan" asks for a tag in the tunnel, whatever other packets would be.
func (r *resolver) walk(w *where, e Expr, s step) (formula, *where, error) {
	if w.cond == nil {
		r.layer = w.layer
		f, next, err := s()
		if wrong := r.layer.wrong; err == nil && wrong.msg != "" {
			err = r.fail(KindLinkType, e, wrong.hint, wrong.msg)
			*wrong = problem{}
		}
		if next == nil {
			next = w
		}
		return f, next, err
	}
	yes, nextYes, err := r.walk(w.yes, e, s)
	if err != nil {
		return nil, nil, err
	}
	no, nextNo, err := r.walk(w.no, e, s)
	var wrong *Error
	if errors.As(err, &wrong) && wrong.Kind == KindLinkType {
		no, nextNo, err = never(), w.no, nil
	}
	if err != nil {
		return nil, nil, err
	}
	next := &where{cond: w.cond, yes: nextYes, no: nextNo, tag: w.tag}
	return fork{w.cond, yes, no}, next, nil
}
