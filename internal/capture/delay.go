package capture

import (
	"errors"
	"time"
)

// A Delay is a Sink that passes packets on to another some time after they were
// captured, so that what they need can be put ahead of them. They are copied:
// the blocks of the ring go back to the kernel.
type Delay struct {
	config DelayConfig
	books  Books
	queue  queue
	early  uint64
	err    error // of the sink behind
	told   bool  // Flush has told ErrEnough
}

// A DelayConfig says what to hold back and for how long.
type DelayConfig struct {
	To Sink
	// By is how long a packet is held, counted from its timestamp.
	By time.Duration
	// Limit is how much memory the packets that are held may take, in bytes.
	// Beyond it the oldest are passed on early.
	Limit int
	// Before, if not nil, is called before packets are passed on, with the
	// time of the oldest of them. Its error ends the capture.
	Before func(oldest time.Time) error
}

// NewDelay makes a Delay. The caller ends it with End before it closes the sink
// behind.
func NewDelay(c DelayConfig) *Delay { return &Delay{config: c} }

// Accounts takes note of where Run counts.
func (d *Delay) Accounts(live *Result) { d.books.Open(live, d.config.To) }

// Failed is that of the sink behind.
func (d *Delay) Failed() <-chan struct{} {
	if b, ok := d.config.To.(Background); ok {
		return b.Failed()
	}
	return nil
}

// Packet holds a packet, and passes on those that are older by the delay.
func (d *Delay) Packet(p *Packet) error {
	d.queue.push(p, d.books.Excluded(p))
	for d.err == nil && d.queue.size > d.config.Limit {
		d.early++
		d.prepare()
		d.passOne()
	}
	d.pass(p.Time - int64(d.config.By))
	d.told = d.enough()
	return d.err
}

// pass passes on the packets up to a time, until the sink behind fails.
func (d *Delay) pass(until int64) {
	h := d.queue.oldest()
	if h == nil || h.packet.Time > until {
		return
	}
	d.prepare()
	for h != nil && h.packet.Time <= until && d.err == nil {
		d.passOne()
		h = d.queue.oldest()
	}
}

// prepare lets Before have its turn ahead of the oldest packet.
func (d *Delay) prepare() {
	if d.config.Before != nil && d.err == nil {
		d.err = d.config.Before(d.queue.oldest().packet.Timestamp())
	}
}

// passOne passes on the oldest packet.
func (d *Delay) passOne() {
	h := d.queue.oldest()
	if d.err != nil {
		return
	}
	if d.err = d.config.To.Packet(&h.packet); d.err == nil {
		d.books.Passed(&h.packet, h.excluded)
		d.queue.pop()
	}
}

// enough says whether the sink behind takes no more.
func (d *Delay) enough() bool { return errors.Is(d.err, ErrEnough) }

// Flush passes on what was held for long enough, and flushes the sink behind.
func (d *Delay) Flush() error {
	now := time.Now().UnixNano()
	until := now - int64(d.config.By)
	if h := d.queue.oldest(); h != nil && h.packet.Time > now {
		until = h.packet.Time // the clock was set back
	}
	if d.pass(until); d.err != nil && !d.enough() {
		return d.err
	}
	if err := d.config.To.Flush(); err != nil || !d.enough() || d.told {
		return err
	}
	d.told = true
	return ErrEnough
}

// Due is when the oldest packet is to be passed on.
func (d *Delay) Due() time.Duration {
	if left := d.left(d.queue.oldest()); left >= 0 {
		return max(left, time.Nanosecond)
	}
	return 0
}

// Left is how long the youngest packet is still to be held, 0 if nothing is or
// the sink behind has failed.
func (d *Delay) Left() time.Duration { return max(d.left(d.queue.youngest()), 0) }

// left is how long a packet is still to be held, negative if none is.
func (d *Delay) left(h *held) time.Duration {
	if h == nil || d.err != nil {
		return -1
	}
	return min(max(d.config.By-time.Since(h.packet.Timestamp()), 0), d.config.By)
}

// End passes on all packets that are held, unless the sink behind takes no more.
func (d *Delay) End() error {
	for h := d.queue.oldest(); h != nil && d.err == nil; h = d.queue.oldest() {
		d.pass(h.packet.Time)
	}
	if d.enough() {
		return nil
	}
	return d.err
}

// Early is how many packets were passed on early, because there was no more
// room for them.
func (d *Delay) Early() uint64 { return d.early }
