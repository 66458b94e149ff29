package bpfc

import "strings"

// Qualifiers say which field of which header an operand is compared with.
type qualifiers struct {
	proto string // a protocol keyword, "ether", or "" for all that fit
	dir   direction
	typ   string // "host", "net", "port", "portrange", "proto", or "" for host
}

type direction uint8

const (
	dirNone   direction = iota // the same as dirEither
	dirSrc                     // src
	dirDst                     // dst
	dirEither                  // src or dst
	dirBoth                    // src and dst
)

func (d direction) String() string {
	return [...]string{"", "src", "dst", "src or dst", "src and dst"}[d]
}

// String returns the qualifiers as words, in the order of the grammar.
func (q qualifiers) String() string {
	words := make([]string, 0, 3)
	for _, w := range []string{q.proto, q.dir.String(), q.typ} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// qualify gives every operand of a tree its qualifiers: those before it, or
// those of the operand before the operator, as in "port 80 or 443". It refuses
// operands that have none.
func qualify(expr string, e Expr) error {
	_, err := (&qualifier{expr}).walk(e, nil, false)
	return err
}

type qualifier struct{ expr string }

// walk visits e with the qualifiers that are in force before it, nil for none,
// and returns those in force after it. With operands set, only operands and
// what joins them may stand in e.
func (w *qualifier) walk(e Expr, q *qualifiers, operands bool) (*qualifiers, error) {
	switch e := e.(type) {
	case *chain:
		for _, t := range e.terms {
			var err error
			if q, err = w.walk(t, q, operands); err != nil {
				return nil, err
			}
		}
		return q, nil

	case *negation:
		return w.walk(e.x, q, operands)

	case *group:
		// A group that begins with an operand is a list of operands and
		// hands the qualifiers on; one that begins with a primitive is an
		// expression of its own, and after it none are in force.
		if operands || beginsWithOperand(e.x) {
			return w.walk(e.x, q, true)
		}
		_, err := w.walk(e.x, nil, false)
		return nil, err

	case *operand:
		if q == nil {
			return nil, &Error{
				Kind: KindSyntax, Expr: w.expr, Pos: e.pos, End: e.end,
				Msg:  quote(e.String()) + " has no qualifier such as host, net or port",
				Hint: operandHint(e),
			}
		}
		e.q = q
		return q, nil
	}
	if operands {
		return nil, &Error{
			Kind: KindSyntax, Expr: w.expr, Pos: e.Pos(), End: e.End(),
			Msg:  quote(e.String()) + " stands in a list of operands",
			Hint: "only addresses, names and numbers can be mixed there",
		}
	}
	if e, ok := e.(*qualified); ok {
		return w.walk(e.x, &e.q, true)
	}
	return nil, nil
}

// beginsWithOperand reports whether the first primitive of e is an operand
// without qualifiers of its own.
func beginsWithOperand(e Expr) bool {
	for {
		switch x := e.(type) {
		case *chain:
			e = x.terms[0]
		case *negation:
			e = x.x
		case *group:
			e = x.x
		default:
			_, ok := e.(*operand)
			return ok
		}
	}
}
