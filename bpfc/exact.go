package bpfc

// maxChains bounds how often "protochain" can be written: each takes a hundred
// instructions and more.
const maxChains = 1000

// careOf returns how the loads of an expression are treated for the words that
// are in it. libpcap does not optimize expressions with some of them.
func careOf(e Expr) care {
	switch {
	case contains(e, func(e Expr) bool { q, ok := e.(*qualified); return ok && q.q.typ == "protochain" }):
		return careChain
	case contains(e, func(e Expr) bool { n, ok := e.(*encapsulation); return ok && n.word == "geneve" }):
		return careGeneve
	}
	return careUsual
}

// loaded holds for packets that do not end before v. libpcap reads the length
// of a header before it looks at what comes behind it.
func loaded(v value) formula { return test{v, relGreaterEqual, 0} }
