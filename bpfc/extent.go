package bpfc

// An extent is how long a packet must be for a place to be reached: bytes
// from its start, and bytes from a place that is computed, such as the end of
// the IPv4 header. One such place is remembered.
type extent struct {
	start, header uint32
	base          *calc // from which header counts; nil for none
}

// with returns what is proven after v was loaded.
func (e extent) with(v value) extent {
	switch v.from {
	case fromHeader:
		end := v.off + uint32(v.size)
		if e.base == v.base {
			e.header = max(e.header, end)
		} else {
			e.header, e.base = end, v.base
		}
		e = e.withCalc(v.base)
		if v.base.max() <= allOnes-end {
			e.start = max(e.start, end)
		}
	case fromStart:
		e.start = max(e.start, v.off+uint32(v.size))
	case fromCalc, fromPair:
		e = e.withCalc(v.base)
	}
	return e
}

// withCalc returns what is proven after c was computed, without the places
// that other calculations end at.
func (e extent) withCalc(c *calc) extent {
	switch {
	case c == nil:
	case c.op == calcHeader:
		e.start = max(e.start, c.k+1)
	case c.op != calcValue:
		e = e.withCalc(c.a).withCalc(c.b)
	case c.v.from == fromStart:
		e.start = max(e.start, c.v.off+uint32(c.v.size))
	}
	return e
}

// meet returns what is proven both by e and by f.
func (e extent) meet(f extent) extent {
	both := extent{start: min(e.start, f.start)}
	if e.base == f.base {
		both.header, both.base = min(e.header, f.header), e.base
	}
	return both
}

// covers reports whether v can be loaded without fail.
func (e extent) covers(v value) bool {
	switch v.from {
	case fromStart:
		return v.off+uint32(v.size) <= e.start
	case fromHeader:
		return e.base == v.base && v.off+uint32(v.size) <= e.header
	case fromCalc, fromPair:
		return v.base.alwaysThere()
	}
	return true
}
