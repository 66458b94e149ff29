package bpfc

// A term is the value of an arithmetic expression, and what must hold of a
// packet for the expression to mean something: that it has the header.
type term struct {
	c     *calc
	needs []formula
}

// relation resolves "a = b" and its like. The parts of a packet that it looks
// at must exist, whatever it says of them.
func (r *resolver) relation(e *relationExpr) (formula, error) {
	a, err := r.arithmetic(e.a)
	if err != nil {
		return nil, err
	}
	b, err := r.arithmetic(e.b)
	if err != nil {
		return nil, err
	}
	var f formula
	if a.c.outside() || b.c.outside() {
		f = rejected{}
	} else if f = r.layer.calcs.compare(e.op, a.c, b.c); f == nil {
		return nil, r.fail(KindLimit, e, "", "the comparison is too large")
	}
	if a.c.op == calcConstant && b.c.op == calcConstant && !(isLiteral(e.a) && isLiteral(e.b)) {
		f = late(f)
	}
	return all(append(append(a.needs, b.needs...), written{f})...), nil
}

// late returns a test of nothing as one of what has been calculated.
func late(f formula) formula {
	switch f := f.(type) {
	case not:
		return not{late(f.f)}
	case test:
		f.v.off = lateNothing
		return f
	}
	return f
}

// arithmetic resolves an arithmetic expression.
func (r *resolver) arithmetic(e arith) (term, error) {
	c := r.layer.calcs
	switch e := e.(type) {
	case *number:
		return term{c: c.constant(e.num)}, nil
	case *lengthOf:
		return term{c: c.value(packetLength)}, nil
	case *parenthesis:
		return r.arithmetic(e.x)
	case *minus:
		x, err := r.arithmetic(e.x)
		if err != nil {
			return term{}, err
		}
		x.c = c.negate(x.c)
		return x, nil
	case *binaryExpr:
		return r.binary(e)
	}
	return r.packetData(e.(*packetData))
}

// binary resolves an operation. As for libpcap, only what the left operand
// looks at must exist; a load that fails rejects the packet anyway.
func (r *resolver) binary(e *binaryExpr) (term, error) {
	a, err := r.arithmetic(e.a)
	if err != nil {
		return term{}, err
	}
	b, err := r.arithmetic(e.b)
	if err != nil {
		return term{}, err
	}
	op := operationOf(e.op)
	if k := b.c; k.op == calcConstant {
		switch {
		case (op == aluDiv || op == aluMod) && k.k == 0:
			return term{}, r.fail(KindRange, e, "", "division by zero")
		case (op == aluLsh || op == aluRsh) && k.k > 31:
			if a.c.op == calcConstant && !isLiteral(e.b) {
				a.c = r.layer.calcs.constant(0)
				return a, nil
			}
			return term{}, r.fail(KindRange, e, "", "shift by more than 31 bits")
		}
	}
	a.c = r.layer.calcs.calculate(op, a.c, b.c)
	return a, nil
}

// isLiteral reports whether e is a number as it is written.
func isLiteral(e arith) bool {
	for {
		p, ok := e.(*parenthesis)
		if !ok {
			break
		}
		e = p.x
	}
	_, ok := e.(*number)
	return ok
}

// operationOf returns the operation of a sign.
func operationOf(sign string) operation {
	switch sign {
	case "+":
		return aluAdd
	case "-":
		return aluSub
	case "*":
		return aluMul
	case "/":
		return aluDiv
	case "%":
		return aluMod
	case "&":
		return aluAnd
	case "|":
		return aluOr
	case "^":
		return aluXor
	case "<<":
		return aluLsh
	case ">>":
		return aluRsh
	}
	panic("bpfc: unknown operator " + sign)
}

// packetData resolves "proto[at:size]".
func (r *resolver) packetData(e *packetData) (term, error) {
	at, err := r.arithmetic(e.at)
	if err != nil {
		return term{}, err
	}
	size := uint32(1)
	if e.size != nil {
		size = e.size.num
	}
	if size != 1 && size != 2 && size != 4 {
		return term{}, r.fail(KindRange, e.size, "", "the size of packet data is 1, 2 or 4 bytes")
	}
	l := r.layer
	bytes := uint8(size)
	switch e.proto {
	case "ether":
		if v, ok := l.linkField(at.c.k, bytes); at.c.op == calcConstant && ok {
			at.c = r.data(v)
			return at, nil
		} else if l.packet && l.link == (place{}) {
			return term{}, r.fail(KindLinkType, e,
				"live packets of this type have no link-layer header", "%s is not there", e.String())
		}
		at.c = r.at(l.link, at.c, bytes)

	case "ip", "ip6", "arp", "rarp", "atalk", "decnet", "lat", "sca", "moprc", "mopdl":
		at.c = r.at(l.payload.plus(l.net), at.c, bytes)
		at.needs = append(at.needs, l.carries(etherTypeOf(e.proto)))

	case "tcp", "udp", "sctp", "icmp", "igmp", "igrp", "pim", "vrrp", "carp":
		at.c = r.at(place{l.headerLength(), l.payload.off + l.net}, at.c, bytes)
		needs := append([]formula{l.carries(etherIPv4)}, at.needs...)
		f, _ := l.byName(e.proto)
		at.needs = append(needs, f, l.first())

	case "icmp6":
		at.c = r.at(l.payload.plus(l.net+ipv6Length), at.c, bytes)
		at.needs = append(at.needs, l.carries(etherIPv6),
			equal(l.in(ipv6Next, 1), protoICMP6))

	default:
		return term{}, r.fail(KindQualifier, e,
			"it has no header to look at", "%s cannot be indexed", e.proto)
	}
	return at, nil
}

// at returns size bytes at a distance from a place.
func (r *resolver) at(p place, distance *calc, size uint8) *calc {
	if distance.op == calcConstant {
		return r.data(p.field(distance.k, size))
	}
	c := r.layer.calcs
	// A small constant part can be part of the instruction. A larger one, or
	// one that is subtracted, could wrap round, which is out of the packet.
	if distance.op == aluAdd && distance.b.op == calcConstant && distance.max() < 1<<16 {
		p, distance = p.plus(distance.b.k), distance.a
	}
	if p.base != nil {
		distance = c.calculate(aluAdd, distance, p.base)
	}
	return r.data(place{distance, p.off}.field(0, size))
}

// data returns a field as a calculation.
func (r *resolver) data(v value) *calc { return r.layer.calcs.value(v) }

// maxOffset is the greatest offset of a load. What lies further out is not in
// any packet, and means something else to the kernel.
const maxOffset = 1 << 30

// outside reports whether c loads from so far out that no packet has it.
func (c *calc) outside() bool {
	switch {
	case c == nil || c.op == calcConstant || c.op == calcHeader:
		return false
	case c.op != calcValue:
		return c.a.outside() || c.b.outside()
	case c.v.from == fromStart:
		return c.v.off > maxOffset
	case c.v.from == fromHeader:
		return c.v.off > maxOffset || c.v.base.outside()
	}
	return false
}

// A rejected rejects every packet that comes to it, also under "not".
type rejected struct{}

func (rejected) blocks(g *graph, _, _ *block) *block { return g.reject }
