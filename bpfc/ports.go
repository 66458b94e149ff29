package bpfc

import "slices"

// Numbers are those from lo to hi, single if it was written as one number.
type numbers struct {
	interval
	single bool
}

// one returns a number as numbers.
func one(n uint32) numbers { return numbers{interval{n, n}, true} }

// includes is true if v is one of the numbers. libpcap compares twice even where a
// range has one number.
func (s numbers) includes(v value) formula {
	if s.single {
		return equal(v, s.lo)
	}
	return inRange(v, s.lo, s.hi)
}

// A portTest is "port" or "portrange". Its tests are made when they are needed:
// of a long list of ports, only those of the whole list are.
type portTest struct {
	shape *portShape
	numbers
}

// A portShape is what the tests of several ports have in common.
type portShape struct {
	layer     layer
	protocols []uint32
	d         direction
	joins     joining
}

// A joining says whether libpcap's optimizer brings the tests of two single
// ports of one shape together.
type joining uint8

const (
	joinsUnknown joining = iota
	joinsNever
	joinsAlways
)

// maxShapes bounds how many shapes are compared with a new one.
const maxShapes = 8

// ports is "port" or "portrange" for the given protocols above IPv4 and IPv6.
func (l layer) ports(protocols []uint32, n numbers, d direction) formula {
	made := l.calcs.shapes
	for _, s := range made[max(len(made)-maxShapes, 0):] {
		if s.d == d && s.layer == l && slices.Equal(s.protocols, protocols) {
			return portTest{s, n}
		}
	}
	s := &portShape{layer: l, protocols: protocols, d: d}
	l.calcs.shapes = append(made, s)
	return portTest{s, n}
}

// formula returns the formula in which at says what holds of a port.
//
// A later fragment of an IPv4 packet has no ports; that of an IPv6 packet has
// another next header.
//
// The protocols are tested one by one, each with ports of its own: thus the
// protocol is known in all that follows, which threading needs to join
// several ports. It makes the parts equal again where they end alike.
func (s *portShape) formula(at func(port value) formula) formula {
	l := s.layer
	ports6 := between(s.d, at(l.in(ipv6Length+srcPort, 2)), at(l.in(ipv6Length+dstPort, 2)))
	ports4 := all(l.first(),
		between(s.d, at(l.afterIPv4(srcPort, 2)), at(l.afterIPv4(dstPort, 2))))

	var v6, v4 []formula
	for _, n := range s.protocols {
		v6 = append(v6, all(equal(l.in(ipv6Next, 1), n), ports6))
		v4 = append(v4, all(equal(l.in(ipv4Protocol, 1), n), ports4))
	}
	return anyOf(
		all(l.carries(etherIPv6), anyOf(v6...)),
		all(l.carries(etherIPv4), anyOf(v4...)))
}

// open returns the formula of the tests.
func (p portTest) open() formula {
	return p.shape.formula(p.includes)
}

func (p portTest) blocks(g *graph, yes, no *block) *block { return p.open().blocks(g, yes, no) }

// ports merges a list of tests of ports of one shape. It is not ok if they
// have several shapes, or cannot be one.
func (l *lister) ports(list []formula) (merged formula, ok bool) {
	first, ok := list[0].(portTest)
	if !ok || first.shape.d == dirBoth {
		return nil, false
	}
	in := make(set, 0, len(list))
	for _, f := range list {
		p, ok := f.(portTest)
		if !ok || p.shape != first.shape {
			return nil, false
		}
		in = append(in, p.interval)
	}
	in = in.normal()
	return first.shape.formula(func(port value) formula { return l.sets.member(port, in) }), true
}

// opened returns a list in which formulas stand for the tests of ports.
func opened(list []formula) []formula {
	for i, f := range list {
		p, ok := f.(portTest)
		if !ok {
			return list // they are alike
		}
		if i == 0 {
			list = slices.Clone(list)
		}
		list[i] = p.open()
	}
	return list
}

// joinedWith reports whether libpcap's optimizer would bring the comparisons of
// two formulas together, see sameValues. Of single ports of one shape it looks at
// two, and those of different ranges never come together.
func joinedWith(f, g formula) bool {
	p, ok := f.(portTest)
	q, also := g.(portTest)
	if !ok || !also || p == q || p.shape != q.shape {
		_, joined := new(likeness).sameValues(f, g)
		return joined
	}
	if !p.single || !q.single {
		return false
	}
	if p.shape.joins == joinsUnknown {
		p.shape.joins = joinsNever
		if _, joined := new(likeness).sameValues(f, g); joined {
			p.shape.joins = joinsAlways
		}
	}
	return p.shape.joins == joinsAlways
}
