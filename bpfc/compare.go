package bpfc

import "strings"

// maxCompared bounds the comparisons in an expression, each of which counts
// once for every case of a tunnel.
const maxCompared = 1 << 17

// compare returns the formula a op b, or nil if it needs more scratch memory
// than there is, or if the expression is too large.
//
// Shifts by a field are left to the machine that runs the program. That of the
// kernel looks at the lowest five bits of the distance; that of libpcap, which
// filters files, shifts all bits out if it is larger.
func (s *calcs) compare(op string, a, b *calc) formula {
	if s.compared++; s.compared > maxCompared {
		return nil
	}
	if a == b && a.op != calcConstant && strings.Contains(op, "=") && op != "!=" {
		// What is equal to itself must only be there.
		return test{a.value(), relGreaterEqual, 0}
	}
	if a.op == calcConstant && b.op != calcConstant {
		turned := map[string]string{">": "<", "<": ">", ">=": "<=", "<=": ">="}
		if t, ok := turned[op]; ok {
			op = t
		}
		a, b = b, a
	}
	var f formula
	switch op {
	case "=", "==", "!=":
		f = s.equals(a, b)
	case ">", "<=":
		f = s.greater(relGreater, relGreaterX, a, b)
	case ">=", "<":
		f = s.greater(relGreaterEqual, relGreaterEqualX, a, b)
	}
	if f != nil && (op == "!=" || op == "<=" || op == "<") {
		f = not{f}
	}
	return f
}

// equals returns a = b.
func (s *calcs) equals(a, b *calc) formula {
	if b.op != calcConstant {
		a, b = s.calculate(aluSub, a, b), s.constant(0)
	}
	k := b.k
	for a.op != calcConstant && a.b != nil && a.b.op == calcConstant {
		// A number that is added or taken away moves to the other side.
		if a.op == aluAdd {
			k -= a.b.k
		} else if a.op == aluSub {
			k += a.b.k
		} else {
			break
		}
		a = a.a
	}
	if a.op == calcConstant {
		if a.k == k {
			return equal(nothing, 0)
		}
		return equal(nothing, 1)
	}
	return s.fitting(test{a.value(), relEqual, k})
}

// greater returns a > b or a >= b, by relation with a number and with X.
func (s *calcs) greater(rel, relX relation, a, b *calc) formula {
	switch {
	case b.op != calcConstant:
		pair := value{
			from: fromPair, size: 4, mask: allOnes,
			base: s.one(calc{op: calcPair, a: a, b: b}),
		}
		return s.fitting(test{v: pair, rel: relX})
	case a.op == calcConstant:
		if rel.holds(a.k, b.k) {
			return test{nothing, relGreaterEqual, 0}
		}
		return test{nothing, relGreater, 0}
	}
	return s.fitting(test{a.value(), rel, b.k})
}

// fitting returns t, or nil if its value needs too much scratch memory.
func (s *calcs) fitting(t test) formula {
	var c coder
	c.value(t.v)
	for _, ins := range c.l.instructions {
		if ins.Op == opStore && ins.K >= firstWord {
			return nil
		}
	}
	return t
}
