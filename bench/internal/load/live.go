package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// A Live has the kernel receive frames on an interface that nobody has sent.
type Live struct {
	ns      *nsswitch.NS
	ifindex uint32
}

// xdpContext is struct xdp_md.
type xdpContext struct {
	Data, DataEnd, DataMeta uint32
	Ifindex, Queue, Egress  uint32
}

// OpenLive finds out whether the kernel lets live frames in on an interface
// of a namespace. It takes Linux 5.18, CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN.
func OpenLive(ns *nsswitch.NS, ifname string) (*Live, error) {
	l := &Live{ns: ns}
	err := ns.Do(func() error {
		dev, err := net.InterfaceByName(ifname)
		if err == nil {
			l.ifindex = uint32(dev.Index)
		}
		return err
	})
	if err == nil {
		// A load of no frames drops the one that it is tried with.
		_, _, err = l.send(context.Background(), Load{Sizes: Uniform(64)}, 0, 1)
	}
	if err != nil {
		return nil, fmt.Errorf("live frames on %s: %w", ifname, err)
	}
	return l, nil
}

// Close has nothing to do: programs live as long as their load.
func (l *Live) Close() error { return nil }

// Send runs the load's program on one frame after another. Between frames
// that are due it drops others, so that the CPU is never idle.
func (l *Live) Send(ctx context.Context, load Load, run uint32) (sent int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, load.patience())
	defer cancel()
	sent, took, err = l.send(ctx, load, run, attempts(load.Duration()))
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return sent, took, err
}

// attempts is on how many frames a program is tried at a time, dropped ones
// included, for a load that takes so long. When the kernel is done with them it
// waits for some 20 ms until their pages are free, which is a gap in the load:
// with a few thousand frames at a time it was most of the time. More attempts
// than the load takes are wasted.
func attempts(long time.Duration) uint32 {
	const (
		dropping = 100 * time.Nanosecond // what an attempt takes at least
		few      = 1 << 14
		many     = 1 << 22
	)
	return uint32(min(max(long/dropping, few), many))
}

// send tries a program on atOnce frames, again and again until all frames of
// the load are sent or the context ends. The count that it returns is the
// program's own: the kernel may try more frames than it is told to when a
// signal comes in between.
func (l *Live) send(ctx context.Context, load Load, run uint32, atOnce uint32) (sent int, took time.Duration, err error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: stateLen, MaxEntries: 1})
	if err != nil {
		return 0, 0, err
	}
	defer m.Close()
	frames := NewFrames(load.Sizes, run)
	p, err := ebpf.NewProgram(program(load, frames, m))
	if err != nil {
		return 0, 0, err
	}
	defer p.Close()

	options := &ebpf.RunOptions{
		Data:    frames.largest,
		Context: xdpContext{DataEnd: uint32(len(frames.largest)), Ifindex: l.ifindex},
		Repeat:  atOnce,
		Flags:   unix.BPF_F_TEST_XDP_LIVE_FRAMES,
	}
	var s state
	begin := time.Now()
	err = l.ns.Do(func() error {
		for {
			if _, err := p.Run(options); err != nil {
				return err
			}
			if err := m.Lookup(uint32(0), &s); err != nil {
				return err
			}
			if s.Next >= uint64(load.Count) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	})
	return int(s.Next), s.took(begin), err
}

// took is how long all frames took, without those that were tried and not
// wanted after the last one, or the time since the beginning if not all of them
// have been sent.
func (s *state) took(begin time.Time) time.Duration {
	if s.End == 0 {
		return time.Since(begin)
	}
	return time.Duration(s.End - s.Start)
}
