package direct

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
)

// A Config says what to capture and where to put it. Most of it is as in
// capture.Config.
type Config struct {
	// Rings are open, with afpacket.Config.Direct, and not yet started.
	Rings []*afpacket.Ring
	// Of says, for each ring, of which source it is, from 0, which is also
	// the place of the source's interface in the file. Nil means that each
	// ring is a source.
	Of []int
	// NoFlags leaves the direction of packets out of the file.
	NoFlags bool
	// File is closed with the result of Run.
	File *File
	// Count ends the capture after so many packets; 0 is no limit.
	Count uint64
	// Started is called when all rings are on the wire; it may be nil.
	Started func()
	// Fault is called when an interface goes down (afpacket.ErrDown) or is
	// gone (afpacket.ErrGone), for one ring at a time; it may be nil.
	Fault func(source int, err error)
	// Shared is as in capture.Config.
	Shared bool
	// Ask has Answer told what became of the packets so far. Both may be nil.
	Ask    <-chan struct{}
	Answer func(*capture.Result)
}

// A run is a capture while it lasts.
type run struct {
	config *Config
	ledger *ledger
	start  time.Time
	stop   context.CancelFunc

	abandoned atomic.Bool // the workers are to end, and the rings not

	mu   sync.Mutex // guards the rest, and the calls of Fault
	err  error      // the first that ended the capture
	gone []bool     // sources whose interface was deleted
}

// Run starts the rings and captures until the context ends, the count is
// reached, all interfaces are gone, or something fails, as capture.Run does.
// One goroutine a ring makes its blocks into pcapng and writes them; for a
// single ring it is the calling one.
//
// The error is afpacket.ErrGone when all interfaces were deleted, else that of
// a ring, or a *pcapwriter.WriteError. The result is valid in any case.
func Run(ctx context.Context, c Config) (*capture.Result, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if c.Of == nil {
		for i := range c.Rings {
			c.Of = append(c.Of, i)
		}
	}
	r := &run{config: &c, start: time.Now(), stop: stop, gone: make([]bool, c.File.interfaces)}
	r.ledger = newLedger(c.File.size, c.Of, c.Count)
	c.File.ledger = r.ledger
	for _, ring := range c.Rings {
		if err := ring.Start(); err != nil {
			return r.result(), err
		}
	}
	if c.Started != nil {
		c.Started()
	}
	defer context.AfterFunc(ctx, r.stopRings)()
	r.work()
	if !r.staysOn(r.err) {
		r.stopRings()
	}
	return r.result(), r.verdict()
}

// work writes the blocks of all rings until these have ended.
func (r *run) work() {
	var workers, answers sync.WaitGroup
	done := make(chan struct{})
	answers.Go(func() { r.answer(done) })
	for i := range r.config.Rings[1:] {
		workers.Go(func() { r.write(i + 1) })
	}
	r.write(0)
	workers.Wait()
	close(done)
	answers.Wait()
}

// answer tells what became of the packets, whenever it is asked.
func (r *run) answer(done <-chan struct{}) {
	for {
		select {
		case <-r.config.Ask:
			r.config.Answer(r.result())
		case <-done:
			return
		}
	}
}

// staysOn says whether a run that ends by an error leaves its rings on the wire.
func (r *run) staysOn(err error) bool {
	return err != nil && !errors.Is(err, errCount) && r.config.Shared
}

// abandon ends the workers, and leaves the rings on the wire.
func (r *run) abandon() {
	r.abandoned.Store(true)
	for _, ring := range r.config.Rings {
		_ = ring.Interrupt() // a worker that does not wait will see it
	}
}

// stopRings takes all rings off the wire.
func (r *run) stopRings() {
	for _, ring := range r.config.Rings {
		_ = ring.Stop() // a ring whose interface is gone cannot be stopped, nor need it
	}
}

// result is what became of the packets so far.
func (r *run) result() *capture.Result {
	result := &capture.Result{Sources: make([]capture.Source, len(r.gone)), Start: r.start, End: time.Now()}
	r.mu.Lock()
	for source, gone := range r.gone {
		result.Sources[source].Gone = gone
	}
	r.mu.Unlock()
	written := r.ledger.packets()
	for i, ring := range r.config.Rings {
		s := &result.Sources[r.config.Of[i]]
		s.Written += written[i]
		if stats, err := ring.Stats(); err == nil {
			s.Stats.Add(stats)
		}
	}
	return result
}

// verdict is what Run returns.
func (r *run) verdict() error {
	switch {
	case errors.Is(r.err, errCount):
		return nil
	case r.err != nil:
		return r.err
	}
	for _, gone := range r.gone {
		if !gone {
			return nil
		}
	}
	return afpacket.ErrGone
}
