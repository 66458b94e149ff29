package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"icap/bench/internal/check"
	"icap/bench/internal/load"
	"icap/bench/internal/peer"
	"icap/bench/internal/proc"
)

// StartUp measures the time from before exec to the first packet that is in
// the file, by the packet's own time stamp. Meanwhile frames come in every
// 50 us. Packets that a program throws away while it opens do not count.
func (b *Bench) StartUp(ctx context.Context, p *peer.Peer) (time.Duration, error) {
	const rate, long, more = 20_000, 20 * time.Second, 200 * time.Millisecond
	run, file := b.next(p, false)
	defer os.Remove(file)
	l := load.Load{Sizes: load.Uniform(64), Rate: rate, Count: rate * int(long/time.Second)}

	sent := b.trickle(ctx, l, run)
	c, err := proc.Start(b.wire.capture, b.CPUs.Capture, append([]string{p.Program}, p.Args(captureName, file)...))
	if err != nil {
		_, err2 := sent()
		return 0, errors.Join(err, err2)
	}
	defer c.Kill()
	err = c.AwaitSockets(ctx, b.ifindex, 1, more)
	count, err2 := sent()
	if err := errors.Join(err, err2); err != nil {
		return 0, c.Explain(err)
	}
	if err := c.AwaitRest(ctx, p.Retire+settle); err != nil {
		return 0, c.Explain(err)
	}
	if _, err := c.Stop(); err != nil {
		return 0, err
	}
	v, err := check.File(file, p.Format, load.NewFrames(l.Sizes, run), count)
	if err := errors.Join(err, v.Fault()); err != nil {
		return 0, err
	}
	if v.Packets == 0 {
		return 0, fmt.Errorf("%s has captured none of %d packets", p.Name, count)
	}
	return v.First.Sub(c.Started), nil
}

// trickle sends a load until it is asked how many frames it has sent. The
// sender sleeps between frames, so that others on its CPU go on.
func (b *Bench) trickle(ctx context.Context, l load.Load, run uint32) func() (sent int, err error) {
	sending, enough := context.WithCancel(ctx)
	type end struct {
		sent int
		err  error
	}
	done := make(chan end, 1)
	go func() {
		sent, _, err := b.veth.Send(sending, l, run)
		if errors.Is(err, context.Canceled) {
			err = ctx.Err()
		}
		done <- end{sent, err}
	}()
	return func() (int, error) {
		enough()
		e := <-done
		return e.sent, e.err
	}
}
