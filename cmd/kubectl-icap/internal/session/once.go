package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/stream"
	"icap/internal/gather"
)

const (
	// clockEvery is how often a node's clock is asked, and clockPatience how long
	// the first answer is waited for.
	clockEvery    = 10 * time.Second
	clockPatience = 5 * time.Second

	// heartbeat is how often a node hears of the client, and silence after which
	// time without it takes it for gone.
	heartbeat = 5 * time.Second
	silence   = 25 * time.Second
)

// once places icap if there is no seat yet, and streams until that ends. A seat
// in which no stream can begin is given up.
func (n *unit) once(orderly, hard context.Context, seat **place.Seat) error {
	s := n.session
	if *seat == nil {
		found, err := s.Placer.Place(orderly, &n.Unit)
		if err != nil {
			return err
		}
		*seat = &found
	}
	inside, cancel := context.WithCancel(hard)
	defer cancel()
	out := &outlet{session: s, node: n.Node}
	clock := stream.Open(inside, s.REST, s.Client, **seat, []string{"/icap", "clock", "--until-stdin-silent", silence.String()})
	var asking sync.WaitGroup
	defer asking.Wait()
	defer clock.Close()
	known := make(chan struct{})
	asking.Go(func() { out.ask(inside, clock, known) })
	select {
	case <-known:
	case <-time.After(clockPatience):
	case <-orderly.Done():
		return nil
	}
	if s.OnNode != "" {
		out.expect()
	}
	err := n.stream(orderly, hard, **seat, out)
	var exit *stream.ExitError
	if !errors.As(err, &exit) {
		out.end(err)
	} else {
		out.end(nil)
	}
	if out.begun() {
		n.captured = true
	} else if err != nil {
		*seat = nil
	}
	return err
}

// stream runs icap in the seat until it ends.
func (n *unit) stream(orderly, hard context.Context, seat place.Seat, out io.Writer) error {
	stdin, hold := io.Pipe()
	n.mu.Lock()
	command := n.command(seat)
	n.stdin = hold
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.stdin = nil
		n.mu.Unlock()
		_ = stdin.Close() // never fails, and lets go who writes
	}()
	defer context.AfterFunc(orderly, func() { _ = hold.Close() })() // never fails
	beating, stop := context.WithCancel(hard)
	defer stop()
	go beat(beating, hold)
	errs := &lines{session: n.session, name: n.Name}
	packets := out
	if n.session.OnNode != "" {
		packets = io.Discard
	}
	err := stream.Exec(hard, n.session.REST, n.session.Client, seat, command, stream.Streams{Stdin: stdin, Stdout: packets, Stderr: errs})
	if n.session.OnNode != "" {
		err = errors.Join(err, n.fetch(hard, seat, err, out))
	}
	return errs.explain(err)
}

// fetch streams the file that was written last on the node, if there can be one.
func (n *unit) fetch(ctx context.Context, seat place.Seat, err error, out io.Writer) error {
	var exit *stream.ExitError
	if errors.As(err, &exit) && exit.Code != exitFault {
		return nil
	}
	file := n.file()
	errs := &lines{session: n.session, name: n.Name}
	err = stream.Exec(ctx, n.session.REST, n.session.Client, seat, []string{"/icap", "read", file, "-w", "-"}, stream.Streams{Stdout: out, Stderr: errs})
	if err != nil {
		return fmt.Errorf("fetch %s: %w", file, errs.explain(err))
	}
	n.session.say("%s: fetched %s", n.Name, file)
	return nil
}

// beat says that the client is there, until the context ends. Nothing else tells
// a node that the network of its client is gone.
func beat(ctx context.Context, to io.Writer) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := to.Write([]byte("\n")); err != nil {
				return // the stream has ended
			}
		case <-ctx.Done():
			return
		}
	}
}

// An outlet passes a stream on to what merges, from its first byte on.
type outlet struct {
	session *Session
	node    string

	mu     sync.Mutex
	clock  gather.Offset
	writer *io.PipeWriter // nil until it is open
	merged *gather.Stream
	err    error
	wrote  bool // there was a first byte
}

// open makes the merge wait for the stream. It is called under the lock.
func (o *outlet) open() {
	if o.writer == nil && o.err == nil {
		var reader *io.PipeReader
		reader, o.writer = io.Pipe()
		o.merged, o.err = o.session.gather.Add(gather.Source{Node: o.node, Stream: reader, Clock: o.clock})
	}
}

// expect makes the merge wait for what comes only at the end.
func (o *outlet) expect() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open()
}

// Write passes packets on. It waits as long as the merge has no room, and with it
// the node.
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	o.open()
	o.wrote = true
	w, err := o.writer, o.err
	o.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return w.Write(b)
}

// end says that no more comes, and why.
func (o *outlet) end(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writer != nil {
		_ = o.writer.CloseWithError(err) // never fails
	}
}

func (o *outlet) begun() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrote
}

// ask asks the clock of the node until it does not answer any more.
func (o *outlet) ask(ctx context.Context, clock io.ReadWriter, known chan<- struct{}) {
	first := sync.OnceFunc(func() { close(known) })
	defer first()
	_ = gather.NewClock(clock).Watch(ctx, clockEvery, func(offset gather.Offset) {
		o.mu.Lock()
		o.clock = offset
		if o.merged != nil {
			o.merged.SetClock(offset)
		}
		o.mu.Unlock()
		first()
	}) // a clock that is not known is told so in the file
}
