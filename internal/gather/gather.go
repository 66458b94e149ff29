package gather

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"icap/pcapwriter"
)

// Config says how streams become one file. The zero value is a good one.
type Config struct {
	// Section is what the file says of itself.
	Section pcapwriter.Section
	// Names are those of addresses: pods, services, nodes. They have
	// precedence over what the streams tell.
	Names []pcapwriter.Name
	// Delay is how long a packet waits at most for streams that are silent;
	// 0 means 2 s.
	Delay time.Duration
	// Memory is how much may be held of all streams, in bytes; 0 means 256
	// MiB. Less than 16 KiB a stream and 2 MiB count as that.
	Memory int64
	// Align corrects the times of packets and statistics by what was
	// measured of each node's clock.
	Align bool
}

// What the zero values of Config mean.
const (
	defaultDelay  = 2 * time.Second
	defaultMemory = 256 << 20
)

// ErrClosed means that a stream came when no more was expected.
var ErrClosed = errors.New("no more streams are gathered")

// A Source is a capture on another machine.
type Source struct {
	// Node is the name of the machine. When it has had a stream before, the
	// file tells the two apart.
	Node string
	// Stream is the capture from its beginning. It is closed when it has
	// ended, and when Run returns; Close must make a Read return.
	Stream io.ReadCloser
	// Clock is that of the machine, as measured by then. The zero value
	// means that it is not known.
	Clock Offset
}

// A Gatherer merges streams. Its methods may be called by many goroutines.
type Gatherer struct {
	config  Config
	out     *os.File
	wake    chan struct{} // there is something for the merge to do
	stopped chan struct{} // closed when Run returns

	mu      sync.Mutex // of all that follows, and much of the streams
	streams []*Stream
	parts   map[string]int // sections so far, by node
	fresh   []*Stream      // that have something at hand now
	silent  int            // streams that may deliver, and have nothing at hand
	live    int            // streams that have not ended
	closed  bool
	cut     error // why everything ends early
	memory  memory
	control control
	wait    hold
	arrived arrivals
	file    fileCounts
}

// New makes a Gatherer that writes to out, which belongs to the caller.
func New(out *os.File, c Config) *Gatherer {
	if c.Delay <= 0 {
		c.Delay = defaultDelay
	}
	if c.Memory <= 0 {
		c.Memory = defaultMemory
	}
	g := &Gatherer{
		config:  c,
		out:     out,
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
		parts:   make(map[string]int),
		memory:  memory{limit: c.Memory},
	}
	g.control.known = make(map[netip.Addr]bool)
	g.control.taken = sync.NewCond(&g.mu)
	g.control.addNames(c.Names)
	return g
}

// Add takes in a stream, which is read from then on. The error is ErrClosed,
// and then the stream is closed.
func (g *Gatherer) Add(src Source) (*Stream, error) {
	s := newStream(g, &src)
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		_ = src.Stream.Close() // nothing was read
		return nil, ErrClosed
	}
	g.streams = append(g.streams, s)
	g.live++
	g.silent++
	g.memory.add()
	g.mu.Unlock()
	go s.run()
	return s, nil
}

// AddNames gives addresses names, for the packets that follow. An address that
// has one keeps it.
func (g *Gatherer) AddNames(names []pcapwriter.Name) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.control.addNames(names)
	g.signal()
}

// Close says that no more streams will be added. Run returns when those that
// there are have ended.
func (g *Gatherer) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.signal()
}

// Run merges until all streams have ended and no more can come, or the context
// is cancelled: then it writes what it holds, in order, and the streams that
// were still open have the context's error in the result. Output that nobody
// reads is then waited for a second, where it can be. A broken stream is no
// error. The error is that of the output.
//
// Run is called once.
func (g *Gatherer) Run(ctx context.Context) (*Result, error) {
	release := context.AfterFunc(ctx, func() { g.end(context.Cause(ctx)) })
	defer release()
	m := newMerge(g)
	err := m.run()
	g.end(ErrClosed)
	g.dismiss()
	return g.Result(), err
}

// dismiss ends the streams that are still open.
func (g *Gatherer) dismiss() {
	close(g.stopped)
	_ = g.out.SetWriteDeadline(time.Time{}) // see end
	g.mu.Lock()
	for _, s := range g.streams {
		if r := &s.result; !r.Ended {
			r.Ended, r.Err = true, fmt.Errorf("ended early: %w", g.cut)
		}
	}
	g.mu.Unlock()
	for _, s := range g.streams { // no others come
		s.close()
	}
}

// patience is how long a blocked output is waited for after all is to end.
const patience = time.Second

// end makes all end that has not.
func (g *Gatherer) end(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.cut != nil {
		return
	}
	g.cut = why
	if g.live > 0 {
		_ = g.out.SetWriteDeadline(time.Now().Add(patience)) // a file on a disk has none, and does not block for ever
	}
	g.control.taken.Broadcast()
	g.signal()
}

// signal makes the merge look again.
func (g *Gatherer) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
