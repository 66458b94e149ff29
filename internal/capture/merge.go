package capture

import (
	"context"
	"errors"
	"time"

	"icap/afpacket"
)

// settle is how long a packet may be on its way from its timestamp to the
// ring, on another CPU.
const settle = time.Millisecond

// merge is the goroutine that takes blocks from the rings and writes their
// packets.
type merge struct {
	config *Config
	result Result

	signals  chan signal
	taken    []chan struct{} // tells a watcher that its ring was looked at
	done     chan struct{}   // tells the watchers that nobody listens any more
	rest     []bool          // watchers that rest
	stopping bool
	ended    []bool // rings that deliver no more

	runs   []*run   // blocks at hand
	spare  []*run   // for reuse
	held   []int    // blocks at hand of each ring
	latest []int64  // timestamp of the youngest packet taken from each ring
	drops  []uint64 // of each ring, as last asked
	untold []uint64 // those of them that no packet has told yet

	packet  Packet
	written uint64
	last    int64 // timestamp of the last packet written
}

// errCount ends a capture whose count is reached.
var errCount = errors.New("count reached")

func newMerge(c *Config) *merge {
	n := len(c.Rings)
	m := &merge{
		config:  c,
		signals: make(chan signal, n),
		taken:   make([]chan struct{}, n),
		done:    make(chan struct{}),
		rest:    make([]bool, n),
		ended:   make([]bool, n),
		held:    make([]int, n),
		latest:  make([]int64, n),
		drops:   make([]uint64, n),
		untold:  make([]uint64, n),
	}
	m.result.Sources = make([]Source, n)
	for i := range m.taken {
		m.taken[i] = make(chan struct{}, 1)
	}
	return m
}

// run merges until all rings have ended.
func (m *merge) run(ctx context.Context) error {
	end := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		took := m.take(now)
		again, err := m.write(now)
		if err != nil {
			return m.failed(err)
		}
		if !took {
			if err := m.rested(); err != nil {
				return err
			}
			if len(m.runs) == 0 && m.allEnded() {
				return m.verdict()
			}
		}
		var due <-chan time.Time
		switch {
		case took:
			due = closed // there may be more to take
		case again > 0:
			timer.Reset(again)
			due = timer.C
		}
		select {
		case s := <-m.signals:
			if err := m.handle(s); err != nil {
				return m.failed(err)
			}
		case <-due:
		case <-end:
			end = nil
			m.stop()
		}
	}
}

// closed is always ready.
var closed = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// take takes the retired blocks of all rings. A ring gives no block that is
// still held, so this comes to an end.
func (m *merge) take(now time.Time) (took bool) {
	for i, ring := range m.config.Rings {
		for {
			block, ok := ring.Take()
			if !ok {
				break
			}
			took = true
			m.held[i]++
			if r := m.newRun(i, block, now); len(r.order) > 0 {
				m.runs = append(m.runs, r)
			} else {
				m.release(r)
			}
		}
	}
	return took
}

// rested writes out what the sink has, since no more is at hand, and lets the
// watchers wait for their rings again.
func (m *merge) rested() error {
	for i, resting := range m.rest {
		if resting {
			m.rest[i] = false
			m.taken[i] <- struct{}{}
		}
	}
	return m.config.Sink.Flush()
}

// write writes packets, oldest first, as long as no ring can deliver an older
// one. It returns after what time to look again, 0 if nothing is held back.
func (m *merge) write(now time.Time) (wait time.Duration, err error) {
	for len(m.runs) > 0 {
		oldest, limit := m.oldest()
		bound, wait := m.bound(oldest, now)
		if oldest.head() > bound {
			return wait, nil
		}
		if err := m.writeRun(oldest, min(limit, bound)); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// oldest is the run with the oldest packet, and the timestamp up to which its
// packets are older than those of the other runs.
func (m *merge) oldest() (oldest *run, limit int64) {
	const never = 1<<63 - 1
	first, limit := int64(never), int64(never)
	for _, r := range m.runs {
		switch head := r.head(); {
		case oldest == nil || head < first:
			if oldest != nil {
				limit = first
			}
			oldest, first = r, head
		case head < limit:
			limit = head
		}
	}
	return oldest, limit
}

// bound is the timestamp below which no ring delivers any more, as far as the
// run r is concerned, and the time after which it should be asked again.
func (m *merge) bound(r *run, now time.Time) (bound int64, wait time.Duration) {
	const never = 1<<63 - 1
	bound = never
	rings := m.config.Rings
	if 2*m.held[r.source] >= rings[r.source].Geometry().Blocks {
		return bound, 0
	}
	age := now.Sub(r.taken)
	for i, ring := range rings {
		if i == r.source || m.held[i] > 0 || m.ended[i] {
			continue
		}
		// Twice, because the timer of some kernels ticks whether or not
		// a block has just been opened.
		patience := 2 * ring.RetireTimeout()
		switch {
		case age >= patience:
			continue
		case age < settle:
			patience = settle
		case ring.Idle():
			continue
		}
		bound = min(bound, m.latest[i])
		if left := patience - age; wait == 0 || left < wait {
			wait = left
		}
	}
	return bound, wait
}

// writeRun writes the packets of a run that are not younger than limit, and
// gives the block back when it was the last.
func (m *merge) writeRun(r *run, limit int64) error {
	// A ring that is being stopped has asked for the drops by itself, and so
	// taken the mark off the block that the kernel was filling.
	if r.at == 0 && (r.block.Losing() || m.stopping) {
		m.noteDrops(r.source)
	}
	source := &m.result.Sources[r.source]
	p := &m.packet
	p.Source = r.source
	for ; r.at < len(r.order) && r.order[r.at].time <= limit; r.at++ {
		r.block.Read(r.order[r.at].offset, &p.Packet)
		p.Interface = 0
		p.DroppedBefore = m.untold[r.source]
		if m.config.Hook != nil && !m.config.Hook(p) {
			source.Excluded++
			continue
		}
		if err := m.config.Sink.Packet(p); err != nil {
			return err
		}
		source.Written++
		m.written++
		m.untold[r.source] = 0
		if p.Time < m.last {
			m.result.Late++
		}
		m.last = max(m.last, p.Time)
		if m.written == m.config.Count {
			return errCount
		}
	}
	if r.at == len(r.order) {
		m.remove(r)
	}
	return nil
}

// noteDrops asks how many packets the kernel dropped since it was last asked,
// so that the next packet written tells it.
func (m *merge) noteDrops(source int) {
	s, err := m.config.Rings[source].Stats()
	if err != nil {
		return // the counts at the end have them
	}
	m.untold[source] += s.Dropped - m.drops[source]
	m.drops[source] = s.Dropped
}

// stop takes all rings off the wire.
func (m *merge) stop() {
	m.stopping = true
	for _, r := range m.config.Rings {
		_ = r.Stop() // a ring whose interface is gone cannot be stopped, nor need it
	}
}

// failed writes out what was merged before the end came.
func (m *merge) failed(err error) error {
	if !errors.Is(err, errCount) {
		return err
	}
	return m.config.Sink.Flush()
}

func (m *merge) allEnded() bool {
	for _, ended := range m.ended {
		if !ended {
			return false
		}
	}
	return true
}

// verdict is nil for a capture that was stopped, and afpacket.ErrGone for one
// that ended by itself because no interface is left.
func (m *merge) verdict() error {
	for i := range m.result.Sources {
		if !m.result.Sources[i].Gone {
			return nil
		}
	}
	return afpacket.ErrGone
}
