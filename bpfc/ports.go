package bpfc

import "slices"

// A portTest is "portrange lo-hi". Its tests are made when they are needed: of
// a long list of ports, only those of the whole list are.
type portTest struct {
	shape  *portShape
	lo, hi uint32
}

// A portShape is what the tests of several ports have in common.
type portShape struct {
	layer     layer
	protocols []uint32
	d         direction
}

// maxShapes bounds how many shapes are compared with a new one.
const maxShapes = 8

// ports is "portrange lo-hi" for the given protocols above IPv4 and IPv6.
func (l layer) ports(protocols []uint32, lo, hi uint32, d direction) formula {
	made := l.calcs.shapes
	for _, s := range made[max(len(made)-maxShapes, 0):] {
		if s.d == d && s.layer == l && slices.Equal(s.protocols, protocols) {
			return portTest{s, lo, hi}
		}
	}
	s := &portShape{l, protocols, d}
	l.calcs.shapes = append(made, s)
	return portTest{s, lo, hi}
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
	return p.shape.formula(func(port value) formula { return inRange(port, p.lo, p.hi) })
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
		in = append(in, interval{p.lo, p.hi})
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
