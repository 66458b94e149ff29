package measure

import (
	"context"
	"os"
	"time"

	"icap/bench/internal/peer"
	"icap/bench/internal/proc"
)

// An Idle is what a program costs that waits for packets.
type Idle struct {
	Ready  float64 // ms of CPU time until it was ready
	CPU    float64 // ms in a second from then on
	Memory int64   // most that was resident, in bytes
}

// Idle watches a peer for so long while no packets come, on one interface or
// on all of the crowd.
func (b *Bench) Idle(ctx context.Context, p *peer.Peer, many bool, long time.Duration) (i Idle, err error) {
	_, file := b.next(p, false)
	defer os.Remove(file)
	var c *proc.Process
	if many {
		c, err = b.startMany(ctx, p, file)
	} else {
		c, err = b.start(ctx, p, file)
	}
	if err != nil {
		return i, err
	}
	defer c.Kill()
	before, err := c.Clock()
	if err != nil {
		return i, c.Explain(err)
	}
	i.Ready = before.Seconds() * 1000
	begin := time.Now()
	select {
	case <-ctx.Done():
		return i, ctx.Err()
	case <-time.After(long):
	}
	after, err := c.Clock()
	if err != nil {
		return i, c.Explain(err)
	}
	i.CPU = float64(after-before) / float64(time.Since(begin)) * 1000
	if i.Memory, err = c.PeakMemory(); err != nil {
		return i, c.Explain(err)
	}
	_, err = c.Stop()
	return i, err
}

func (b *Bench) startMany(ctx context.Context, p *peer.Peer, file string) (*proc.Process, error) {
	argv := append([]string{p.Program}, p.Many(file)...)
	c, err := proc.Start(b.many.ns, b.CPUs.Capture, argv)
	if err != nil {
		return nil, err
	}
	if err := c.AwaitReady(ctx, 0, b.many.size); err != nil {
		return nil, c.Explain(err)
	}
	return c, nil
}
