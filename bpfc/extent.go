package bpfc

// An extent is how long a packet must be for a place to be reached: bytes
// from its start, and bytes from the end of the IPv4 header, given as offset
// to the X register.
type extent struct{ start, header uint32 }

// with returns what is proven after v was loaded.
func (e extent) with(v value) extent {
	end := v.off + uint32(v.size)
	switch v.from {
	case fromHeader:
		e.header = max(e.header, end)
		e.start = max(e.start, end)
	case fromStart:
		e.start = max(e.start, end)
	}
	return e
}

// meet returns what is proven both by e and by f.
func (e extent) meet(f extent) extent {
	return extent{min(e.start, f.start), min(e.header, f.header)}
}

// covers reports whether v can be loaded without fail.
func (e extent) covers(v value) bool { return e.with(v) == e }
