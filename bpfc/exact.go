package bpfc

import "slices"

// maxChains bounds how often "protochain" can be written: each takes a hundred
// instructions and more.
const maxChains = 1000

// chained reports whether "protochain" occurs in e. libpcap does not optimize
// such expressions.
func chained(e Expr) bool {
	switch e := e.(type) {
	case *chain:
		return slices.ContainsFunc(e.terms, chained)
	case *negation:
		return chained(e.x)
	case *group:
		return chained(e.x)
	case *qualified:
		return e.q.typ == "protochain"
	}
	return false
}

// loaded holds for packets that do not end before v. libpcap reads the length
// of a header before it looks at what comes behind it.
func loaded(v value) formula { return test{v, relGreaterEqual, 0} }
