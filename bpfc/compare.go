package bpfc

// guardedShift is the k of a shift that is known to be by less than 32 bits.
const guardedShift = 1

// Bounds of the shifts by a variable distance in one comparison, each of which
// doubles it, and of the comparisons in an expression.
const (
	maxShifts   = 6
	maxCompared = 1 << 17
)

// compare returns the formula a op b, or nil if it needs more scratch memory
// than there is, or if it or the expression is too large.
func (s *calcs) compare(op string, a, b *calc) formula {
	if s.compared++; s.compared > maxCompared || a.wideShifts()+b.wideShifts() > maxShifts {
		return nil
	}
	if shift := a.wideShift(); shift != nil {
		return s.guarded(shift, op, a, b)
	}
	if shift := b.wideShift(); shift != nil {
		return s.guarded(shift, op, a, b)
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
		return constantly(a.k == k)
	}
	v := a.value()
	f := s.fitting(test{v, relEqual, k})
	if f != nil && k == 0 && v.mask != allOnes {
		return not{test{v.whole(), relAnyBit, v.mask}}
	}
	return f
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
		return constantly(rel.holds(a.k, b.k))
	}
	return s.fitting(test{a.value(), rel, b.k})
}

// constantly returns the formula that is true or false of all packets.
func constantly(holds bool) formula {
	if holds {
		return always{}
	}
	return never()
}

// fitting returns t, or nil if its value needs too much scratch memory.
func (s *calcs) fitting(t test) formula {
	var c coder
	c.value(t.v)
	for _, ins := range c.l.instructions {
		if ins.Op == opStore && ins.K >= memoryWords {
			return nil
		}
	}
	return t
}

// wideShift returns a shift within c by what can be more than 31 bits, nil if
// there is none.
func (c *calc) wideShift() *calc {
	switch {
	case c == nil:
		return nil
	case c.op == calcValue:
		return c.v.base.wideShift()
	case (c.op == aluLsh || c.op == aluRsh) && c.k != guardedShift && c.b.max() > 31:
		if inner := c.b.wideShift(); inner != nil {
			return inner
		}
		return c
	}
	if w := c.a.wideShift(); w != nil {
		return w
	}
	return c.b.wideShift()
}

// wideShifts counts the shifts within c by what can be more than 31 bits.
func (c *calc) wideShifts() int {
	switch {
	case c == nil:
		return 0
	case c.op == calcValue:
		return c.v.base.wideShifts()
	}
	n := c.a.wideShifts() + c.b.wideShifts()
	if (c.op == aluLsh || c.op == aluRsh) && c.k != guardedShift && c.b.max() > 31 {
		n++
	}
	return n
}

// guarded compares with the case that shift shifts all bits out apart: the
// kernel would only look at the lowest five bits of the distance.
func (s *calcs) guarded(shift *calc, op string, a, b *calc) formula {
	small := *shift
	small.k = guardedShift
	// What is shifted out is loaded all the same.
	out := s.one(calc{op: aluAnd, a: shift.a, b: s.constant(0)})
	wide := s.fitting(test{shift.b.value(), relGreater, 31})
	yes := s.compare(op, s.replace(a, shift, out), s.replace(b, shift, out))
	no := s.compare(op, s.replace(a, shift, s.one(small)), s.replace(b, shift, s.one(small)))
	if wide == nil || yes == nil || no == nil {
		return nil
	}
	return fork{wide, yes, no}
}

// replace returns c with one calculation in the place of another.
func (s *calcs) replace(c, old, by *calc) *calc {
	switch {
	case c == nil:
		return nil
	case c == old:
		return by
	case c.op == calcValue && c.v.base != nil:
		v := c.v
		v.base = s.replace(v.base, old, by)
		return s.value(v)
	}
	n := *c
	n.a, n.b = s.replace(c.a, old, by), s.replace(c.b, old, by)
	return s.one(n)
}
