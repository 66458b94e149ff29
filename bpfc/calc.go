package bpfc

import "math/bits"

// A calc is a calculation on values: a tree, of which equal parts exist only
// once, so that equal calculations are the same pointer.
type calc struct {
	op   operation
	a, b *calc  // operands; b is nil for a negation
	v    value  // of calcValue
	k    uint32 // of calcConstant; of calcHeader the offset
}

// An operation is what a calc does. The arithmetic ones are the bits that
// choose them in an opcode.
type operation uint16

const (
	calcValue    operation = 0x100 + iota // a field, the length ...
	calcConstant                          // a number
	calcHeader                            // 4*([k]&0xf): an IPv4 header's length
	calcPair                              // a in A and b in X, for a comparison
	calcIndex                             // what a setup has stored in word k
)

// calcs makes calculations.
type calcs struct {
	made     map[calc]*calc
	latest   *calc // what header returned
	care     care  // how the loads of all of them are treated
	compared int   // comparisons made, of which there are not too many
	choices  []formula
	shapes   []*portShape
	chosen   [choiceOfPart + 1]int // so many of each kind
}

func newCalcs() *calcs { return &calcs{made: make(map[calc]*calc)} }

// one returns the only calc that is equal to c.
func (s *calcs) one(c calc) *calc {
	if old, ok := s.made[c]; ok {
		return old
	}
	made := c // so that only this one is allocated
	s.made[c] = &made
	return &made
}

func (s *calcs) constant(k uint32) *calc { return s.one(calc{op: calcConstant, k: k}) }

// header returns the length of the IPv4 header at off.
func (s *calcs) header(off uint32) *calc {
	if s.latest == nil || s.latest.k != off {
		s.latest = s.one(calc{op: calcHeader, k: off})
	}
	return s.latest
}

// value returns v as a calculation.
func (s *calcs) value(v value) *calc {
	if v.from == fromCalc {
		if v.mask == allOnes {
			return v.base
		}
		return s.one(calc{op: aluAnd, a: v.base, b: s.constant(v.mask)})
	}
	return s.one(calc{op: calcValue, v: v})
}

// negate returns -a.
func (s *calcs) negate(a *calc) *calc {
	if a.op == calcConstant {
		return s.constant(-a.k)
	}
	return s.one(calc{op: aluNeg, a: a})
}

// calculate returns a op b. Constants are calculated at once, except those
// that have no result, which fail for every packet, and numbers move to the
// right where the order does not matter.
func (s *calcs) calculate(op operation, a, b *calc) *calc {
	if a.op == calcConstant && op.commutes() {
		a, b = b, a
	}
	if b.op != calcConstant {
		return s.one(calc{op: op, a: a, b: b})
	}
	if a.op == calcConstant {
		if k, ok := calculate(uint16(op), a.k, b.k); ok {
			return s.constant(k)
		}
	}
	switch {
	case b.k == 0 && (op == aluMul || op == aluAnd) && s.care < careGeneve:
		return b // as libpcap's optimizer has it, nothing is loaded
	case b.k == 0 && op.keepsWith0(), b.k == 1 && (op == aluMul || op == aluDiv):
		return a
	case op == aluAnd && a.op == calcValue:
		// A mask of a field is part of the value.
		if m := a.v.whole().max(); b.k&m == m {
			return a
		}
		return s.value(a.v.masked(b.k))
	case op == aluMul && bits.OnesCount32(b.k) == 1:
		return s.one(calc{op: aluLsh, a: a, b: s.constant(uint32(bits.TrailingZeros32(b.k)))})
	}
	return s.one(calc{op: op, a: a, b: b})
}

// commutes reports whether a op b is b op a.
func (op operation) commutes() bool {
	switch op {
	case aluAdd, aluMul, aluOr, aluAnd, aluXor:
		return true
	}
	return false
}

// keepsWith0 reports whether a op 0 is a.
func (op operation) keepsWith0() bool {
	switch op {
	case aluAdd, aluSub, aluOr, aluXor, aluLsh, aluRsh:
		return true
	}
	return false
}

// value returns the calculation as a value, with a mask that is its last step
// as the value's.
func (c *calc) value() value {
	switch {
	case c.op == calcValue:
		return c.v
	case c.op == aluAnd && c.b.op == calcConstant:
		v := c.a.value()
		if v.mask == allOnes {
			return v.masked(c.b.k)
		}
	}
	return value{from: fromCalc, size: 4, mask: allOnes, base: c}
}

// max returns a number that the result is never greater than.
func (c *calc) max() uint32 {
	switch c.op {
	case calcValue:
		return c.v.max()
	case calcConstant:
		return c.k
	case calcHeader:
		return 60
	case aluAnd:
		return min(c.a.max(), c.b.max())
	case aluRsh:
		if c.b.op == calcConstant {
			return c.a.max() >> (c.b.k & 31)
		}
	case aluDiv:
		return c.a.max()
	case aluMod:
		if c.b.op == calcConstant && c.b.k > 0 {
			return min(c.a.max(), c.b.k-1)
		}
	case aluAdd:
		if sum := uint64(c.a.max()) + uint64(c.b.max()); sum <= allOnes {
			return uint32(sum)
		}
	case aluLsh:
		if c.b.op == calcConstant {
			if most := uint64(c.a.max()) << (c.b.k & 31); most <= allOnes {
				return uint32(most)
			}
		}
	}
	return allOnes
}

// alwaysThere reports whether the result can be had of every packet.
func (c *calc) alwaysThere() bool {
	switch c.op {
	case calcValue:
		return c.v.alwaysThere()
	case calcConstant:
		return true
	case calcHeader, calcIndex:
		return false
	case aluNeg:
		return c.a.alwaysThere()
	case aluDiv, aluMod:
		if c.b.op != calcConstant {
			return false
		}
	}
	return c.a.alwaysThere() && c.b.alwaysThere()
}
