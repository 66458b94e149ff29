package main

// A handover says which packets of a source are another's, whose rings are on
// the wire at the same time: those of its beginning or its end.
type handover struct {
	since, until int64  // nanoseconds since 1970; 0 is no limit
	packets      uint64 // that were left to the other
}

// handSlack is by how much, in nanoseconds, the time of a packet can differ
// between two rings. What comes this close behind the moment may be there twice,
// and is not missing.
const handSlack = 10_000

// handOver leaves the packets from a moment on to new sources. It is called
// when both are on the wire, by the goroutine that runs the hook.
func handOver(old, new []*source, moment int64) {
	for _, src := range old {
		src.handed.until = moment + handSlack
	}
	for _, src := range new {
		src.handed.since = moment
	}
}

// over reports whether a packet is another's, and counts it.
func (h *handover) over(at int64) bool {
	if at >= h.since && (h.until == 0 || at < h.until) {
		return false
	}
	h.packets++
	return true
}
