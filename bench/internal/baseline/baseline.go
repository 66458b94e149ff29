// Package baseline has loops that do the least that a capture can: they use icap's ring and
// nothing else of its path of a packet, so that the distance of icap from
// them is what that path costs.
package baseline

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"icap/afpacket"
)

// RingMiB is the size of the ring of every program that lets it be chosen, so
// that none loses what another one has room for. It is that of the loops' rings,
// which are icap's own of that size.
const RingMiB = 64

// Names of the loops.
const (
	Ring = "ring" // takes the packets and does nothing with them
	Copy = "copy" // appends them to a batch, and writes that when it is full
)

// Run runs the loop of a name until SIGTERM comes and prints the counts that
// tcpdump prints.
func Run(name, ifname, file string) error {
	use, flush := ignore, func() error { return nil }
	switch name {
	case Ring:
	case Copy:
		b, err := newBatch(file, ifname)
		if err != nil {
			return err
		}
		defer b.file.Close()
		use, flush = b.add, b.flush
	default:
		return fmt.Errorf("no loop is called %q", name)
	}

	ring, err := afpacket.Open(afpacket.Config{
		Interface: ifname,
		Ring:      afpacket.RoomyGeometry,
	})
	if err != nil {
		return err
	}
	defer ring.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		_ = ring.Stop()
	}()
	if err := ring.Start(); err != nil {
		return err
	}
	if err := consume(ring, use, flush); err != nil {
		return err
	}
	s, err := ring.Stats()
	fmt.Fprintf(os.Stderr, "%d packets captured\n%d packets received by filter\n%d packets dropped by kernel\n",
		s.Delivered, s.Received, s.Dropped)
	return err
}

// consume passes every packet of the ring to use, and calls flush whenever
// the ring has run dry.
func consume(ring *afpacket.Ring, use func(*afpacket.Packet) error, flush func() error) error {
	var p afpacket.Packet
	for {
		block, ok := ring.Take()
		if !ok {
			if err := flush(); err != nil {
				return err
			}
			if err := ring.Wait(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			continue
		}
		for at := block.First(); at != 0; at = block.Next(at) {
			block.Read(at, &p)
			if err := use(&p); err != nil {
				return err
			}
		}
		block.Release()
	}
}

func ignore(*afpacket.Packet) error { return nil }
