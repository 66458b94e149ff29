package measure

import (
	"context"
	"fmt"
	"os"
	"time"

	"icap/bench/internal/check"
	"icap/bench/internal/load"
	"icap/bench/internal/peer"
	"icap/bench/internal/proc"
)

// settle is how long after its retire timeout a program has to be at rest.
const settle = 50 * time.Millisecond

// Run starts a peer, sends the load of a job, stops the peer and checks its
// file. What goes wrong becomes the fault of the result, so that the others
// can go on.
func (b *Bench) Run(ctx context.Context, p *peer.Peer, j Job) Result {
	r, _, err := b.run(ctx, p, j)
	if err != nil {
		r.Fault = err
	}
	return r
}

// run also returns the process, which has ended.
func (b *Bench) run(ctx context.Context, p *peer.Peer, j Job, env ...string) (r Result, c *proc.Process, err error) {
	run, file := b.next(p, j.Disk)
	defer os.Remove(file)
	c, err = b.start(ctx, p, file, env...)
	if err != nil {
		return r, c, err
	}
	defer c.Kill()
	before, err := c.Clock()
	if err != nil {
		return r, c, c.Explain(err)
	}
	waited := c.Waited()
	sent, took, err := b.sender.Send(ctx, j.Load, run)
	if err != nil {
		return r, c, err
	}
	r.Sent, r.Rate = sent, float64(sent)/took.Seconds()
	if err := c.AwaitRest(ctx, p.Retire+settle); err != nil {
		return r, c, c.Explain(err)
	}
	if r.Memory, err = c.PeakMemory(); err != nil {
		return r, c, c.Explain(err)
	}
	r.Waited = c.Waited() - waited
	all, err := c.Stop()
	if err != nil {
		return r, c, err
	}
	r.CPU = all - before
	return r, c, r.judge(p, c.Output(), file, load.NewFrames(j.Sizes, run))
}

// judge takes the packets from the file and the drops from the words of the
// program, and finds whether they explain each other.
func (r *Result) judge(p *peer.Peer, words, file string, frames *load.Frames) error {
	said, err := p.Count(words)
	if err != nil {
		return err
	}
	r.Packets, r.Dropped = said.Captured, said.Dropped
	if p.Format != nil {
		v, err := check.File(file, p.Format, frames, r.Sent)
		if err != nil {
			return err
		}
		r.Packets, r.FileSize, r.Fault = v.Packets, v.Bytes, v.Fault()
	}
	r.Lost = uint64(r.Sent) - min(r.Packets, uint64(r.Sent))
	if r.Fault == nil && !said.Blind && r.Lost != r.Dropped {
		r.Fault = fmt.Errorf("%d of %d packets are missing, %d were counted as dropped", r.Lost, r.Sent, r.Dropped)
	}
	return r.Fault
}
