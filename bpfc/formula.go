package bpfc

// A formula is an expression whose names, addresses and qualifiers have
// become tests of packet fields. The order of the tests counts: a test of a
// field past the end of the packet rejects the packet, whatever would follow.
type formula interface {
	// blocks returns the first block of code that goes to yes if the
	// formula holds and to no if it does not.
	blocks(g *graph, yes, no *block) *block
}

// A test compares a value with a constant.
type test struct {
	v   value
	rel relation
	k   uint32
}

// A junction is terms with operators between them, evaluated from the left
// and only as far as needed. Like a chain, it has no precedence: the terms
// up to an operator are its left side.
type junction struct {
	terms []formula
	ops   []operator // one fewer than terms
}

// A not is the opposite of a formula.
type not struct{ f formula }

// A written is the comparison of a relation such as "ip[9] = 6". The optimizer
// of libpcap does not see that "proto 6" asks the same.
type written struct{ f formula }

// An always holds for every packet.
type always struct{}

// equal returns the test v == k.
func equal(v value, k uint32) formula { return test{v, relEqual, k} }

// all returns a formula that holds if all of the terms do.
func all(terms ...formula) formula { return joined(opAnd, terms) }

// anyOf returns a formula that holds if at least one of the terms does.
func anyOf(terms ...formula) formula { return joined(opOr, terms) }

func joined(op operator, terms []formula) formula {
	if len(terms) == 1 {
		return terms[0]
	}
	n := len(terms) - 1
	if few := &fewAnds; n <= len(few) {
		if op == opOr {
			few = &fewOrs
		}
		return junction{terms, few[:n:n]}
	}
	ops := make([]operator, n)
	for i := range ops {
		ops[i] = op
	}
	return junction{terms, ops}
}

// What most junctions need, for all of them together.
var (
	fewAnds = [4]operator{opAnd, opAnd, opAnd, opAnd}
	fewOrs  = [4]operator{opOr, opOr, opOr, opOr}
)

func (t test) blocks(g *graph, yes, no *block) *block { return g.branch(t, yes, no) }

func (j junction) blocks(g *graph, yes, no *block) *block {
	// From the right: what is already built is where the terms to the left
	// of it go when they have not settled the matter.
	for i := len(j.ops) - 1; i >= 0; i-- {
		right := j.terms[i+1].blocks(g, yes, no)
		if j.ops[i] == opAnd {
			yes = right
		} else {
			no = right
		}
	}
	return j.terms[0].blocks(g, yes, no)
}

func (n not) blocks(g *graph, yes, no *block) *block { return n.f.blocks(g, no, yes) }

func (w written) blocks(g *graph, yes, no *block) *block {
	g.written = true
	first := w.f.blocks(g, yes, no)
	g.written = false
	return first
}

func (always) blocks(_ *graph, yes, _ *block) *block { return yes }

// first returns the value that is loaded first, for every packet. It is not ok
// if there is none.
func first(f formula) (v value, ok bool) {
	switch f := f.(type) {
	case test:
		return f.v, true
	case junction:
		return first(f.terms[0])
	case not:
		return first(f.f)
	case fork:
		return first(f.cond)
	case written:
		return first(f.f)
	case decided:
		return first(f.f)
	case portTest:
		return first(f.open())
	}
	return v, false
}
