package measure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
	"icap/bench/internal/proc"
)

// A Config says where files go and how load is made.
type Config struct {
	Memory string // folder on tmpfs
	Disk   string // folder on a disk; empty if nothing is measured there
	// Transmit sends all load through the veth pair, also where the kernel
	// could be made to receive live frames.
	Transmit bool
	// Many is how many interfaces there are where many are captured on.
	Many int
}

// A Bench is everything that the runs share.
type Bench struct {
	CPUs proc.CPUs
	Load string // how load is made

	wire    *wire
	many    *crowd
	sender  load.Sender // of all rates
	veth    *load.Veth  // of low rates, where the CPU has other work too
	ifindex int
	memory  *Scratch
	disk    *Scratch // nil without one
	runs    uint32   // so far
}

// New makes the namespaces and folders. From here on this process runs on one
// CPU only.
func New(c Config) (b *Bench, err error) {
	b = new(Bench)
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.CPUs, err = proc.ChooseCPUs(); err != nil {
		return b, err
	}
	if err = proc.PinProcess(b.CPUs.Send); err != nil {
		return b, err
	}
	if b.memory, err = NewScratch(c.Memory); err != nil {
		return b, err
	}
	if c.Disk != "" {
		if b.disk, err = NewScratch(c.Disk); err != nil {
			return b, err
		}
	}
	if b.wire, err = newWire(); err != nil {
		return b, err
	}
	if b.many, err = newCrowd(c.Many); err != nil {
		return b, err
	}
	err = b.wire.capture.Do(func() error {
		dev, err := net.InterfaceByName(captureName)
		if err == nil {
			b.ifindex = dev.Index
		}
		return err
	})
	if err != nil {
		return b, err
	}
	return b, b.openSenders(c.Transmit)
}

// openSenders falls back to transmission where live frames are not to be had.
func (b *Bench) openSenders(transmit bool) (err error) {
	if b.veth, err = load.OpenVeth(b.wire.send, sendName); err != nil {
		return err
	}
	b.sender, b.Load = b.veth, "frames transmitted through a veth pair"
	if transmit {
		return nil
	}
	live, err := load.OpenLive(b.wire.capture, captureName)
	if err != nil {
		b.Load += fmt.Sprintf(", which limits the rates, because of: %v", err)
		return nil
	}
	b.sender, b.Load = live, "live frames of XDP, received on one end of a veth pair"
	return nil
}

// Close takes down what New made.
func (b *Bench) Close() error {
	var errs []error
	if b.veth != nil {
		errs = append(errs, b.veth.Close())
	}
	if b.wire != nil {
		errs = append(errs, b.wire.close())
	}
	if b.many != nil {
		errs = append(errs, b.many.close())
	}
	for _, s := range []*Scratch{b.memory, b.disk} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// next begins a run: its number, and the file that it may write.
func (b *Bench) next(p *peer.Peer, disk bool) (run uint32, file string) {
	b.runs++
	dir := b.memory
	if disk {
		dir = b.disk
	}
	return b.runs, filepath.Join(dir.Path, fmt.Sprintf("%d-%s", b.runs, p.Name))
}

// start starts a peer on the wire and waits until it is ready.
func (b *Bench) start(ctx context.Context, p *peer.Peer, file string, env ...string) (*proc.Process, error) {
	argv := append([]string{p.Program}, p.Args(captureName, file)...)
	c, err := proc.Start(b.wire.capture, b.CPUs.Capture, argv, env...)
	if err != nil {
		return nil, err
	}
	if err := c.AwaitReady(ctx, b.ifindex, 1); err != nil {
		return nil, c.Explain(err)
	}
	return c, nil
}
