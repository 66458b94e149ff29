package bpfc

// An extent is how long a packet must be for a place to be reached: bytes
// from its start, and bytes from places that are computed, such as the end of
// the IPv4 header. The latest such places are remembered.
type extent struct {
	start   uint32
	headers [2]reach
}

// A reach is so many bytes from a place that is computed; nil for none.
type reach struct {
	base *calc
	end  uint32
}

// with returns what is proven after v was loaded.
func (e extent) with(v value) extent {
	switch v.from {
	case fromHeader:
		end := v.off + uint32(v.size)
		e = e.reaching(reach{v.base, end}).withCalc(v.base)
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

// reaching returns what is proven where a computed place is reached, too.
func (e extent) reaching(r reach) extent {
	latest := &e.headers[0]
	if latest.base != r.base {
		e.headers[1], *latest = *latest, e.headers[1]
	}
	if latest.base == r.base {
		r.end = max(r.end, latest.end)
	}
	*latest = r
	return e
}

// reached returns how many bytes from a computed place are proven.
func (e extent) reached(base *calc) uint32 {
	for _, r := range e.headers {
		if r.base == base {
			return r.end
		}
	}
	return 0
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
	e.start = min(e.start, f.start)
	for i := range e.headers {
		r := &e.headers[i]
		if r.end = min(r.end, f.reached(r.base)); r.end == 0 {
			*r = reach{}
		}
	}
	return e
}

// covers reports whether v can be loaded without fail.
func (e extent) covers(v value) bool {
	switch v.from {
	case fromStart:
		return v.off+uint32(v.size) <= e.start
	case fromHeader:
		return v.off+uint32(v.size) <= e.reached(v.base)
	case fromCalc, fromPair:
		return v.base.alwaysThere()
	}
	return true
}
