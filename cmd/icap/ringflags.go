package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"icap/afpacket"
)

// ringFlags say how packets come from the kernel.
type ringFlags struct {
	buffer    size // -B: all rings of an interface
	blockSize size
	blocks    int
	timeout   time.Duration
	live      bool

	fanout int
	spread string
	split  bool
	cpus   cpuList
}

// liveTimeout is how long a packet waits in the ring with --live.
const liveTimeout = 10 * time.Millisecond

func (f *ringFlags) register(fs *pflag.FlagSet) {
	f.buffer.unit, f.blockSize.unit = 1<<10, 1
	fs.VarP(&f.buffer, "buffer-size", "B", "memory for the rings of each interface, in KiB or with a suffix: 64m (0: 16m, in pods 2m, 64m for gateways and direct writing)")
	fs.Var(&f.blockSize, "block-size", "size of a block of the ring, such as 1m (0: 1m, 8m where a ring has 64m, in pods 256k, 4m for gateways and direct writing)")
	fs.IntVar(&f.blocks, "blocks", 0, "number of blocks of the ring (0: 16, in pods 8)")
	fs.DurationVar(&f.timeout, "block-timeout", 0, "hand over a block that is not full after this time (0: 100ms; 250ms where one interface is written into files, 500ms if the ring has few blocks)")
	fs.BoolVar(&f.live, "immediate-mode", false, "hand over packets within 10 ms, at the cost of CPU time")
	fs.BoolVar(&f.live, "live", false, "the same as --immediate-mode")
	fs.IntVar(&f.fanout, "fanout", 1, "share the packets of each interface among so many rings")
	fs.StringVar(&f.spread, "fanout-mode", "hash", "how to share them: hash, cpu, qm, lb or rollover")
	fs.BoolVar(&f.split, "split", false, "one file for each ring of --fanout, written by a worker of its own: out.0.pcapng ...; when one fails the others go on, and icap exits with 3 at the end")
	fs.Var(&f.cpus, "cpu", "run on these CPUs only, such as 2,4-6; with --split each worker on one of them")
}

// maxFanout is more rings than any machine here has CPUs for; the kernel's
// own limit is 256, or 65535 by newer calls.
const maxFanout = 256

// check refuses what makes no sense before anything is done.
func (f *ringFlags) check() error {
	switch {
	case f.blocks < 0:
		return usagef("--blocks %d is negative", f.blocks)
	case f.buffer.bytes > 0 && f.blocks > 0:
		return usagef("-B and --blocks exclude each other: a ring of -B bytes has -B / --block-size blocks")
	case f.timeout < 0 || f.timeout > 0 && f.timeout < time.Millisecond:
		return usagef("--block-timeout %v is under 1ms", f.timeout)
	case f.timeout > 0 && f.live:
		return usagef("--block-timeout and --live exclude each other: --live is a timeout of %v", liveTimeout)
	case f.fanout < 1 || f.fanout > maxFanout:
		return usagef("--fanout %d is not between 1 and %d", f.fanout, maxFanout)
	case f.split && f.fanout == 1:
		return usagef("--split writes one file for each ring of --fanout, which is missing")
	}
	if _, err := afpacket.ParseSpread(f.spread); err != nil {
		return usagef("--fanout-mode %w", err)
	}
	return checkMemory(max(f.buffer.bytes, f.geometry(afpacket.DefaultGeometry).Size()*f.fanout))
}

// geometry is the size of each ring, which is usual unless flags say
// otherwise.
func (f *ringFlags) geometry(usual afpacket.Geometry) afpacket.Geometry {
	g := usual
	if f.blockSize.bytes > 0 {
		g.BlockSize = f.blockSize.bytes
		g.Blocks = max(2, usual.Size()/g.BlockSize)
	}
	switch {
	case f.blocks > 0:
		g.Blocks = f.blocks
	case f.buffer.bytes > 0:
		each := f.buffer.bytes / max(f.fanout, 1)
		if roomy := afpacket.RoomyGeometry; each >= roomy.Size() && f.blockSize.bytes == 0 && usual != afpacket.LargeGeometry {
			g = roomy
		}
		g = g.Resize(each)
	}
	return g
}

// fileTimeout is how long a block stays open whose packets go into a file alone,
// where nobody waits for them: each that is not full shortens the stall of the
// reader that the ring survives.
const fileTimeout = 250 * time.Millisecond

// unhurried is fileTimeout for a ring, or longer if it has few and large blocks.
func unhurried(g afpacket.Geometry) time.Duration {
	usual := time.Duration(afpacket.DefaultGeometry.Blocks)
	return min(max(fileTimeout, fileTimeout*usual/time.Duration(g.Blocks)), 2*fileTimeout)
}

// retire is how long a block stays open that is not full, 0 for the usual
// time.
func (f *ringFlags) retire() time.Duration {
	if f.live {
		return liveTimeout
	}
	return f.timeout
}

// group is what the rings of an interface share its packets by; nil if there
// is but one.
func (f *ringFlags) group() *afpacket.Group {
	if f.fanout <= 1 {
		return nil
	}
	spread, _ := afpacket.ParseSpread(f.spread) // checked before
	return &afpacket.Group{Spread: spread}
}

// describe says what rings an interface has.
func (f *ringFlags) describe(g afpacket.Geometry) string {
	if f.fanout <= 1 {
		return "ring " + g.String()
	}
	return fmt.Sprintf("%d rings by %s, each %s", f.fanout, f.spread, g)
}
