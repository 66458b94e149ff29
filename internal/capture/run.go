package capture

import (
	"slices"
	"time"

	"icap/afpacket"
)

// A run is a block whose packets are being merged.
type run struct {
	block  afpacket.Block
	source int
	taken  time.Time // when the merge got the block
	order  []entry   // of its packets, oldest first
	at     int       // the next one to write
	moved  []byte    // where the block is, if not in the ring any more
}

// An entry is one packet of a run.
type entry struct {
	time   int64
	offset uint32
}

// head is the timestamp of the next packet.
func (r *run) head() int64 { return r.order[r.at].time }

// newRun puts the packets of a block in order. They are already, but for
// neighbours that two CPUs stamped at once: so each is moved a place or two.
func (m *merge) newRun(source int, block afpacket.Block, now time.Time) *run {
	r := m.reuse()
	*r = run{block: block, source: source, taken: now, order: r.order[:0]}
	for at := block.First(); at != 0; at = block.Next(at) {
		e := entry{block.Time(at), at}
		i := len(r.order)
		r.order = append(r.order, e)
		for ; i > 0 && r.order[i-1].time > e.time; i-- {
			r.order[i] = r.order[i-1]
		}
		r.order[i] = e
	}
	if n := len(r.order); n > 0 {
		m.latest[source] = max(m.latest[source], r.order[n-1].time)
	}
	return r
}

func (m *merge) reuse() *run {
	n := len(m.spare)
	if n == 0 {
		return new(run)
	}
	r := m.spare[n-1]
	m.spare = m.spare[:n-1]
	return r
}

// release gives the block of a run back to the kernel.
func (m *merge) release(r *run) {
	if r.moved != nil {
		m.relief.putBack(r.moved)
	} else {
		r.block.Release()
		m.held[r.source]--
	}
	m.spare = append(m.spare, r)
}

// remove takes a run that is written off the list.
func (m *merge) remove(r *run) {
	i := slices.Index(m.runs, r)
	last := len(m.runs) - 1
	m.runs[i] = m.runs[last]
	m.runs = m.runs[:last]
	m.release(r)
}

// abandon gives all blocks back, written or not.
func (m *merge) abandon() {
	for _, r := range m.runs {
		m.release(r)
	}
	m.runs = nil
}
