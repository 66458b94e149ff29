package capture

import (
	"slices"
	"time"

	"icap/afpacket"
)

// A run is a block whose packets are being merged. By far most blocks are in
// order; from where one is not, its packets go through a window.
type run struct {
	block afpacket.Block
	ring  int       // its index
	taken time.Time // when the merge got the block
	moved []byte    // where the block is, if not in the ring any more
	told  bool      // the drops before the block have been asked for

	// The next packet: its time, and its offset, 0 if there is none.
	time   int64
	offset uint32

	// The scout goes ahead of it: packets up to there are in order. It is 0
	// behind the last packet.
	scout     uint32
	scoutTime int64

	// The window of a block that turned out not to be in order is the next
	// packets, oldest first: those from at to end are still to be written.
	jumbled bool
	window  [window]entry
	at, end int
	rest    uint32 // offset of the first packet behind the window, 0: none
}

// window is how many packets are put in order at a time, and lookahead how far
// one may stand before its place. They are in order already but for neighbours
// that two CPUs stamped at once, which are a place or two apart.
const (
	window    = 64
	lookahead = 16
)

// An entry is one packet of a run.
type entry struct {
	time   int64
	offset uint32
}

// head is the timestamp of the next packet.
func (r *run) head() int64 { return r.time }

// written reports whether there is no packet left.
func (r *run) written() bool { return r.offset == 0 }

// startAt makes the packet at an offset the next one, and sends the scout ahead.
func (r *run) startAt(offset uint32) {
	r.jumbled = false
	r.offset = offset
	r.scout, r.scoutTime, r.time = offset, 0, 0
	if offset == 0 {
		return
	}
	r.time = r.block.Time(offset)
	r.scoutTime = r.time
	for range lookahead {
		if r.scout != 0 && !r.jumbled {
			r.look()
		}
	}
}

// next goes on to the next packet.
func (r *run) next() {
	if r.jumbled {
		r.nextJumbled()
		return
	}
	if r.offset = r.block.Next(r.offset); r.offset == 0 {
		return
	}
	r.time = r.block.Time(r.offset)
	if r.scout != 0 {
		r.look()
	}
}

// look sends the scout on by a packet, and no further if that is older than the
// one before it.
func (r *run) look() {
	if r.scout = r.block.Next(r.scout); r.scout == 0 {
		return
	}
	t := r.block.Time(r.scout)
	if t >= r.scoutTime {
		r.scoutTime = t
		return
	}
	r.jumble()
}

// jumble sends the rest of the block, from the next packet on, through the
// window.
func (r *run) jumble() {
	r.jumbled = true
	r.at, r.end, r.rest = 0, 0, r.offset
	r.fill()
	r.offset, r.time = r.window[0].offset, r.window[0].time
}

func (r *run) nextJumbled() {
	r.at++
	if r.end-r.at < lookahead && r.rest != 0 {
		r.fill()
	}
	if r.at == r.end {
		r.offset = 0
		return
	}
	e := &r.window[r.at]
	r.offset, r.time = e.offset, e.time
}

// fill moves what is left to the front of the window, and sorts the following
// packets in.
func (r *run) fill() {
	r.end = copy(r.window[:], r.window[r.at:r.end])
	r.at = 0
	for ; r.end < window && r.rest != 0; r.rest = r.block.Next(r.rest) {
		e := entry{r.block.Time(r.rest), r.rest}
		i := r.end
		for ; i > 0 && r.window[i-1].time > e.time; i-- {
			r.window[i] = r.window[i-1]
		}
		r.window[i] = e
		r.end++
	}
}

// newRun begins to merge a block.
func (m *merge) newRun(ring int, block afpacket.Block, now time.Time) *run {
	r := m.reuse()
	r.block, r.ring, r.taken, r.moved, r.told = block, ring, now, nil, false
	r.startAt(block.First())
	m.latest[ring] = max(m.latest[ring], block.LastTime())
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
		m.held[r.ring]--
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
