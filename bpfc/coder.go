package bpfc

import "golang.org/x/net/bpf"

// A coder writes the instructions of a load. It keeps account of what the
// registers hold, and leaves out what is there already.
type coder struct {
	l      load
	r      registers
	stores words // in which indexes are stored
}

// put writes an instruction.
func (c *coder) put(op uint16, k uint32) {
	c.l.instructions = append(c.l.instructions, bpf.RawInstruction{Op: op, K: k})
	c.l.states = append(c.l.states, c.r)
}

// setA notes what the latest instruction has left in A.
func (c *coder) setA(v value) { c.r.a, c.r.aKnown = v, true }

// value brings v into A.
func (c *coder) value(v value) {
	if v.from == fromPair {
		if !c.r.holds(v.base.a.value()) || c.r.x != v.base.b {
			c.operands(v.base)
		}
		return
	}
	if c.r.holds(v) {
		return
	}
	// A mask can be applied to what is masked by another one already.
	whole := v.whole()
	if !c.r.aKnown || c.r.a.whole() != whole || c.r.a.mask&v.mask != v.mask {
		switch v.from {
		case fromCalc:
			c.result(v.base)
		case fromHeader:
			c.intoX(v.base)
			c.put(v.opcode(), v.off)
		default:
			c.put(v.opcode(), v.off)
		}
		c.setA(whole)
	}
	if !c.r.holds(v) {
		c.put(opAndK, v.mask)
		c.setA(v)
	}
}

// prepare writes a setup. Nothing that was in the registers before counts
// afterwards: a value that is loaded through X may be another one then.
func (c *coder) prepare(s *setup) {
	if s.index != nil {
		c.intoX(s.at)
		if c.stores>>s.index.k&1 != 0 {
			c.put(opStoreX, s.index.k)
		}
		c.r.aKnown, c.r.x = false, s.index
		return
	}
	c.r.aKnown = false
	c.put(opLoadNumberX, s.x)
	c.r.x = s.header
	if s.a.size > 0 {
		c.put(s.a.opcode(), s.a.off)
		c.setA(s.as)
	}
}

// calc brings the result of n into A.
func (c *coder) calc(n *calc) {
	c.value(n.value())
}

// result computes n, which is not a plain value, in A.
func (c *coder) result(n *calc) {
	switch {
	case n.op == calcConstant:
		c.put(opLoadNumber, n.k)
	case n.op == calcHeader || n.op == calcIndex:
		c.intoX(n)
		c.put(opTXA, 0)
	case n.op == aluNeg:
		c.calc(n.a)
		c.put(classALU|aluNeg, 0)
	case n.b.op == calcConstant:
		c.calc(n.a)
		c.put(classALU|uint16(n.op), n.b.k)
	default:
		c.operands(n)
		c.put(classALU|uint16(n.op)|sourceX, 0)
	}
	c.r.aKnown = false
}

// operands brings one operand of n into A and the other into X. Only where
// the order does not matter is the one in A not the left one.
func (c *coder) operands(n *calc) {
	a, b := n.a, n.b
	swap := n.op.commutes()
	switch {
	case c.r.x == b && a.leavesX(b):
	case swap && c.r.x == a && b.leavesX(a):
		a, b = b, a
	case b.goesToX():
	case swap && a.goesToX():
		a, b = b, a
	case a.leavesX(b):
		c.intoX(b)
	case swap && b.leavesX(a):
		a, b = b, a
		c.intoX(b)
	default:
		// Both need X on their way.
		c.calc(b)
		word := c.r.scratch
		c.put(opStore, word)
		c.r.scratch++
		c.calc(a)
		c.r.scratch--
		// The word is read next: until then it waits.
		c.put(opLoadMemoryX, word)
		c.l.states[len(c.l.states)-1].scratch = word + 1
		c.r.x = b
		return
	}
	c.calc(a)
	c.intoX(b)
}

// leavesX reports whether computing n needs nothing in X, or just x.
func (n *calc) leavesX(x *calc) bool {
	switch n.op {
	case calcConstant:
		return true
	case calcHeader, calcIndex:
		return n == x
	case calcValue:
		return n.v.from != fromHeader || n.v.base == x
	case aluNeg:
		return n.a.leavesX(x)
	}
	if n.b.op == calcConstant {
		return n.a.leavesX(x)
	}
	return n.b == x && n.a.leavesX(x)
}

// goesToX reports whether n can be loaded into X without touching A.
func (n *calc) goesToX() bool {
	return n.op == calcConstant || n.op == calcHeader || n.op == calcIndex ||
		n.op == calcValue && n.v == packetLength
}

// intoX brings the result of n into X. It keeps A if n goesToX.
func (c *coder) intoX(n *calc) {
	switch {
	case c.r.x == n:
		return
	case n.op == calcConstant:
		c.put(opLoadNumberX, n.k)
	case n.op == calcHeader:
		c.put(opLoadHeaderX, n.k)
	case n.op == calcIndex:
		c.put(opLoadMemoryX, n.k)
	case n.goesToX():
		c.put(opLoadLengthX, 0)
	default:
		c.calc(n)
		c.put(opTAX, 0)
	}
	c.r.x = n
}
