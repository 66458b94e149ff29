package direct

import (
	"errors"
	"slices"
	"sync"
)

// ahead is how many chunks a ring may take while another ring's is not yet
// written, times the number of rings.
const ahead = 2

// A ledger hands out the places of a file to the chunks of several rings, and
// knows how much of the file is written without a gap.
type ledger struct {
	mu    sync.Mutex
	moved sync.Cond // size has grown, or broken is set

	taken   int64    // where the next chunk goes
	tail    int64    // where in the last page, below taken, the packets end
	tailOf  int      // the ring that they are of
	size    int64    // all below it is written
	open    []extent // chunks between size and taken, oldest first
	left    uint64   // packets that may still be taken
	broken  error    // what ended it
	written []uint64 // packets of each ring below size
	counted []counts // of each ring, as last told
	of      []int    // the interface of each ring
}

// An extent is the place of one chunk.
type extent struct {
	at, size int64
	ring     int
	packets  int
	done     bool
}

type counts struct{ received, dropped uint64 }

// errCount ends a capture whose count is reached.
var errCount = errors.New("count reached")

// newLedger begins behind the header of a file. The limit is a number of
// packets, 0 for none.
func newLedger(header int64, of []int, limit uint64) *ledger {
	l := &ledger{
		taken:   header,
		tail:    header,
		size:    header,
		open:    make([]extent, 0, ahead*len(of)),
		left:    limit,
		written: make([]uint64, len(of)),
		counted: make([]counts, len(of)),
		of:      of,
	}
	if limit == 0 {
		l.left = 1<<64 - 1
	}
	l.moved.L = &l.mu
	return l
}

// admit says how many of n packets may be written, and whether the limit is
// reached with them.
func (l *ledger) admit(n int) (admitted int, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	admitted = int(min(uint64(n), l.left))
	l.left -= uint64(admitted)
	return admitted, l.left == 0
}

// take gives a chunk the next place, and the counters of its interface, which
// so grow from place to place. It also says how much of the file is written.
// It waits while too many chunks are behind one that is being written.
//
// A place begins with a page, or, for a small chunk that follows upon one of
// the same ring, where the packets of that one end.
func (l *ledger) take(ring int, c *Chunk, k counts) (at, size int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.open) == cap(l.open) && l.broken == nil {
		l.moved.Wait()
	}
	if l.broken != nil {
		return 0, 0, l.broken
	}
	l.counted[ring] = k
	var sum counts
	for i, k := range l.counted {
		if l.of[i] == l.of[ring] {
			sum.received += k.received
			sum.dropped += k.dropped
		}
	}
	c.Count(sum.received, sum.dropped)
	at = l.taken
	if c.Small && l.tailOf == ring && len(l.open) == 0 {
		at, l.size = l.tail, l.tail
	}
	end := at + int64(len(c.Data))
	l.tail, l.tailOf = end, ring
	l.taken = end + fill(end)
	l.open = append(l.open, extent{at: at, size: l.taken - at, ring: ring, packets: c.Packets})
	return at, l.size, nil
}

// wrote takes note that the chunk at a place is written, or as much of it as
// size and packets say because of an error, which ends the ledger.
func (l *ledger) wrote(at, size int64, packets int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.open {
		if e := &l.open[i]; e.at == at {
			e.size, e.packets, e.done = size, packets, true
		}
	}
	if err != nil && l.broken == nil {
		l.broken = err
	}
	n := 0
	for ; n < len(l.open) && l.open[n].done && l.open[n].at == l.size; n++ {
		l.size += l.open[n].size
		l.written[l.open[n].ring] += uint64(l.open[n].packets)
	}
	l.open = l.open[:copy(l.open, l.open[n:])]
	l.moved.Broadcast()
}

// packets is how many packets of each ring are in the file without a gap.
func (l *ledger) packets() []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.written)
}

// end is how much of the file is written without a gap, statistics that fill
// the last page left out, and the error that ended the ledger, if one did.
func (l *ledger) end() (size int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size == l.taken {
		return l.tail, l.broken
	}
	return l.size, l.broken
}
