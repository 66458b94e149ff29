package capture

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"icap/afpacket"
)

// merge is the goroutine that takes blocks from the rings and writes their
// packets.
type merge struct {
	config *Config
	bulk   *Files     // the sink, if it takes packets without a look at each
	mu     sync.Mutex // of all that follows, for a single ring
	result Result

	signals  chan signal
	taken    []chan struct{} // tells a watcher that its ring was looked at
	done     chan struct{}   // tells the watchers that nobody listens any more
	rest     []bool          // watchers that rest
	watchers sync.WaitGroup
	more     <-chan *Addition // nil when no ring can join any more
	stopping atomic.Bool
	ended    []bool // rings that deliver no more
	left     []bool // those of them that may be closed by now

	runs   []*run // blocks at hand
	spare  []*run // for reuse
	held   []int  // blocks of each ring that are lent out
	relief relief
	latest []int64          // timestamp of the youngest packet taken from each ring
	counts []afpacket.Stats // of each ring, as last asked
	untold []uint64         // packets of each ring that were dropped, and no packet has told it yet

	packet  Packet
	written uint64
	last    int64 // timestamp of the last packet written
}

func newMerge(c *Config) *merge {
	n := len(c.Rings)
	m := &merge{
		config:  c,
		bulk:    inBulk(c),
		signals: make(chan signal, n),
		taken:   make([]chan struct{}, n),
		done:    make(chan struct{}),
		rest:    make([]bool, n),
		more:    c.More,
		ended:   make([]bool, n),
		left:    make([]bool, n),
		held:    make([]int, n),
		latest:  make([]int64, n),
		counts:  make([]afpacket.Stats, n),
		untold:  make([]uint64, n),
	}
	m.result.Sources = make([]Source, c.sources())
	for i := range m.taken {
		m.taken[i] = make(chan struct{}, 1)
	}
	return m
}

// run merges until all rings have ended.
func (m *merge) run(ctx context.Context) error {
	c := m.config
	end, failed := ctx.Done(), m.sinkFailed()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		took := m.take(now)
		again, err := m.write(now)
		if err != nil {
			return m.failed(err)
		}
		if again > 0 {
			m.relieve()
		}
		if !took {
			if err := m.rested(); err != nil {
				return m.failed(err)
			}
			m.dismiss()
			if len(m.runs) == 0 && m.allEnded() && m.more == nil {
				return m.verdict()
			}
		}
		if due := m.due(); due > 0 && (again == 0 || due < again) {
			again = due
		}
		if took {
			again = time.Nanosecond // there may be more to take
		}
		var due <-chan time.Time
		if again > 0 {
			timer.Reset(again)
			due = timer.C
		}
		select {
		case s := <-m.signals:
			if err := m.handle(s); err != nil {
				return m.failed(err)
			}
		case <-due:
		case <-c.Ask:
			m.account()
			c.Answer(&m.result)
		case <-c.Nudge:
			if err := c.Sink.Flush(); err != nil {
				return m.failed(err)
			}
		case <-failed:
			failed = nil
			if err := c.Sink.Flush(); err != nil {
				return err
			}
		case a, ok := <-m.more:
			if !ok {
				m.more = nil
			} else if err := m.join(a); err != nil {
				return err
			}
		case <-end:
			end = nil
			m.stop()
		}
	}
}

// take takes the retired blocks of all rings. A ring gives no block that is
// still held, so this comes to an end.
func (m *merge) take(now time.Time) (took bool) {
	for i, ring := range m.config.Rings {
		for !m.left[i] {
			block, ok := ring.Take()
			if !ok {
				break
			}
			took = true
			m.held[i]++
			if r := m.newRun(i, block, now); r.written() {
				m.release(r)
			} else {
				m.runs = append(m.runs, r)
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

// due is after what time the sink is to be flushed, 0 if it holds nothing.
func (m *merge) due() time.Duration {
	if h, ok := m.config.Sink.(Holder); ok {
		return h.Due()
	}
	return 0
}

// count asks for the kernel's counts of a ring. The next packet written tells
// what was dropped since they were last asked for.
func (m *merge) count(ring int) {
	if m.left[ring] {
		return
	}
	s, err := m.config.Rings[ring].Stats()
	if err != nil {
		return // the counts at the end have them
	}
	m.untold[ring] += s.Dropped - m.counts[ring].Dropped
	m.counts[ring] = s
}

// stop takes all rings off the wire.
func (m *merge) stop() {
	m.stopping.Store(true)
	m.more = nil
	var stops sync.WaitGroup // each takes the kernel some 10 ms
	for i, r := range m.config.Rings {
		if !m.left[i] {
			stops.Go(func() { _ = r.Stop() }) // what cannot be stopped is drained all the same
		}
	}
	stops.Wait()
}

// interrupt ends the watchers, and leaves the rings on the wire.
func (m *merge) interrupt() {
	for i, r := range m.config.Rings {
		if !m.left[i] {
			_ = r.Interrupt() // a watcher that does not wait has ended
		}
	}
}

// failed writes out what was merged before the end came.
func (m *merge) failed(err error) error {
	if !errors.Is(err, ErrEnough) {
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
