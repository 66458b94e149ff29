package capture

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"icap/afpacket"
)

// A Packet is one packet on its way from a ring to the sink. It is valid
// during the call that it is passed to.
type Packet struct {
	afpacket.Packet
	// Source is the index of the source that it came from.
	Source int
	// Ring is the ring that it came from.
	Ring *afpacket.Ring
	// Interface is the index of the interface in the file. It is 0 unless
	// the hook sets it.
	Interface int
	// DroppedBefore is how many packets the kernel dropped between the
	// last packet of the source with such a number and about this one.
	DroppedBefore uint64
	// Comment is for the file; a sink that passes packets on may set it.
	Comment string
}

// A Hook looks at every packet before it is written. It may set Interface; it
// returns false to leave the packet out.
type Hook func(p *Packet) bool

// A Sink takes packets in time order. Flush is called when no further packet
// is at hand. The first error ends the capture.
type Sink interface {
	Packet(p *Packet) error
	Flush() error
}

// An Accountant is a Sink that wants to know what became of the packets of
// each source so far. It is told once where to look, before the first packet.
// During its calls Written, Excluded and Told of the sources are up to date.
type Accountant interface {
	Accounts(live *Result)
}

// A Background is a Sink that goes on writing between its calls. When that
// fails Failed is closed, and Flush returns the error.
type Background interface {
	Failed() <-chan struct{}
}

// A Holder is a Sink that holds packets back. Due says after what time Flush is
// to be called even if no packet comes, 0 if nothing is held.
type Holder interface {
	Due() time.Duration
}

// ErrEnough is what a Sink returns to end the capture without a fault, as it
// ends when Config.Count is reached. The packet was not written.
var ErrEnough = errors.New("the sink takes no more")

// A Config says what to capture and where to put it.
type Config struct {
	// Rings are open and not yet started.
	Rings []*afpacket.Ring
	// Of says, for each ring, of which source it is, from 0; the rings of a
	// source share its packets. Nil means that each ring is a source.
	Of []int
	// Shared says that the rings share packets with those of other captures,
	// which go on when this one fails. Its rings are then still on the wire, and
	// their packets counted until the caller takes them off, by Leave.
	Shared bool
	// Hook may be nil: then every packet is written.
	Hook Hook
	Sink Sink
	// SinkCounts says that the Sink, which is an Accountant, holds packets
	// back: it counts each one by itself as Written or Excluded of its source,
	// and what it had in DroppedBefore as Told, once that is decided. Count is
	// then for the Sink to see to.
	SinkCounts bool
	// Count ends the capture after so many packets were written; 0 is no
	// limit.
	Count uint64
	// Started is called when all rings are on the wire; it may be nil.
	Started func()
	// Fault is called when an interface goes down (afpacket.ErrDown) or is
	// gone (afpacket.ErrGone); it may be nil.
	Fault func(source int, err error)
	// Ask has Answer told, soon, what became of the packets so far. Both may
	// be nil. The result is valid during the call, which holds up the capture.
	Ask    <-chan struct{}
	Answer func(*Result)
	// Nudge has the Sink flushed, soon; it may be nil.
	Nudge <-chan struct{}
	// More, if not nil, brings rings that join the capture. Until it is
	// closed, the capture goes on when all interfaces are gone. Nothing is
	// taken from it any more once the capture is being stopped.
	More <-chan *Addition
	// Left is told of rings that deliver no more and may be closed, because
	// they were stopped or their interface is gone; it may be nil. The others
	// are for the caller to close after Run.
	Left func(*afpacket.Ring)
}

// sources is their number.
func (c *Config) sources() int {
	if c.Of == nil {
		return len(c.Rings)
	}
	return slices.Max(c.Of) + 1
}

// Source is what became of the packets of one source.
type Source struct {
	afpacket.Stats
	// Written were given to the sink without an error.
	Written uint64
	// Excluded were left out by the hook, or by a sink that counts.
	Excluded uint64
	// Unneeded are those of Excluded that a sink left out.
	Unneeded uint64
	// Told is the sum of what the packets written had in DroppedBefore.
	Told uint64
	// Gone is set when the interface was deleted while captured.
	Gone bool
}

// Lost is how many packets were received, and neither written nor left out
// nor dropped by the kernel: those that a limit or a fault of the sink kept
// from being written.
func (s *Source) Lost() uint64 {
	return s.Received - min(s.Received, s.Dropped+s.Written+s.Excluded)
}

// A Result is what a capture has to say at its end.
type Result struct {
	Sources    []Source
	Start, End time.Time
	// Late counts packets that were written after a younger one.
	Late uint64
}

// Total adds up the sources.
func (r *Result) Total() Source {
	var t Source
	for _, s := range r.Sources {
		t.Add(s)
	}
	return t
}

// Add adds what became of other packets of the source.
func (s *Source) Add(t Source) {
	s.Stats.Add(t.Stats)
	s.Written += t.Written
	s.Excluded += t.Excluded
	s.Unneeded += t.Unneeded
	s.Told += t.Told
	s.Gone = s.Gone || t.Gone
}

// Add adds the result of a capture beside this one, of the same sources.
func (r *Result) Add(o *Result) {
	for i, s := range o.Sources {
		r.Sources[i].Add(s)
	}
	if r.Start.IsZero() || o.Start.Before(r.Start) {
		r.Start = o.Start
	}
	if o.End.After(r.End) {
		r.End = o.End
	}
	r.Late += o.Late
}

// Run starts the rings and captures until the context ends, the count is
// reached, all interfaces are gone, or something fails. When the context ends
// the rings are taken off the wire and what they hold is written; that is
// no error.
//
// The error is afpacket.ErrGone when all interfaces were deleted, else that of
// a ring or of the sink. The result is valid in any case.
func Run(ctx context.Context, c Config) (*Result, error) {
	c.own()
	m := newMerge(&c)
	m.result.Start = time.Now()
	defer m.account()
	if a, ok := c.Sink.(Accountant); ok {
		a.Accounts(&m.result)
	}
	for _, r := range c.Rings {
		if err := r.Start(); err != nil {
			return &m.result, err
		}
	}
	if c.Started != nil {
		c.Started()
	}
	run := m.run
	_, holds := c.Sink.(Holder)
	if len(c.Rings) == 1 && c.More == nil && c.Left == nil && !holds {
		run = m.alone
	} else {
		for i := range c.Rings {
			m.startWatch(i)
		}
	}
	err := run(ctx)
	staysOn := err != nil && c.Shared
	if !staysOn {
		m.stop()
	}
	m.abandon()
	close(m.done)
	if staysOn {
		m.interrupt()
	}
	m.watchers.Wait()
	return &m.result, err
}

// source is that of a ring.
func (m *merge) source(ring int) int {
	if m.config.Of == nil {
		return ring
	}
	return m.config.Of[ring]
}

// account brings the kernel's counts up to date.
func (m *merge) account() {
	m.result.End = time.Now()
	for i := range m.result.Sources {
		m.result.Sources[i].Stats = afpacket.Stats{}
	}
	for i := range m.config.Rings {
		m.count(i)
		m.result.Sources[m.source(i)].Stats.Add(m.counts[i])
	}
}

// A signal comes from the goroutine that waits for a ring: a block may be
// there to take (nil), or what afpacket.Ring.Wait returned.
type signal struct {
	ring int
	err  error
}

func (m *merge) startWatch(i int) {
	ring, taken := m.config.Rings[i], m.taken[i]
	m.watchers.Go(func() { m.watch(i, ring, taken) })
}

// watch waits for one ring. After each signal it rests until the merge has
// looked at the ring.
func (m *merge) watch(i int, ring *afpacket.Ring, taken <-chan struct{}) {
	for {
		err := ring.Wait()
		select {
		case m.signals <- signal{i, err}:
		case <-m.done:
			return
		}
		if err != nil && !errors.Is(err, afpacket.ErrDown) {
			return
		}
		select {
		case <-taken:
		case <-m.done:
			return
		}
	}
}

// sinkFailed is closed when the sink has failed while nobody called it; nil if
// it cannot.
func (m *merge) sinkFailed() <-chan struct{} {
	if b, ok := m.config.Sink.(Background); ok {
		return b.Failed()
	}
	return nil
}

// handle takes note of a signal. It returns an error that ends the capture.
func (m *merge) handle(s signal) error {
	switch {
	case s.err == nil:
		m.rest[s.ring] = true
	case errors.Is(s.err, afpacket.ErrDown):
		m.rest[s.ring] = true
		m.fault(s)
	case errors.Is(s.err, afpacket.ErrGone):
		m.result.Sources[m.source(s.ring)].Gone = true
		m.ended[s.ring] = true
		m.fault(s)
	case s.err == io.EOF:
		m.ended[s.ring] = true
	default:
		return s.err
	}
	return nil
}

func (m *merge) fault(s signal) {
	if m.config.Fault != nil {
		m.config.Fault(m.source(s.ring), s.err)
	}
}
