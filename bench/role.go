package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"icap/afpacket"
	"icap/pcapwriter"
)

// roleCommand as the first argument turns this binary into one of the
// programs that it measures: "role NAME INTERFACE FILE".
const roleCommand = "role"

// The baselines. They use icap's ring and nothing else of its path of a
// packet, so the distance of icap from them is what that path costs.
const (
	roleRing = "ring"
	roleCopy = "copy"
)

// runRole captures until SIGTERM comes and prints the counts that all
// programs print.
func runRole(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: bench role NAME INTERFACE FILE")
	}
	use, flush := ignore, func() error { return nil }
	switch args[0] {
	case roleRing:
	case roleCopy:
		b, err := newBatch(args[2], args[1])
		if err != nil {
			return err
		}
		defer b.file.Close()
		use, flush = b.add, b.flush
	default:
		return fmt.Errorf("no role is called %q", args[0])
	}

	ring, err := afpacket.Open(afpacket.Config{
		Interface: args[1],
		Ring:      afpacket.Geometry{BlockSize: 1 << 20, Blocks: ringMiB},
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

// A batch is the least that writes a valid pcapng file: packets without
// options, collected for one write.
type batch struct {
	file *os.File
	data []byte
}

const batchSize = 1 << 20

func newBatch(path, ifname string) (*batch, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	b := &batch{file: f, data: make([]byte, 0, batchSize+afpacket.MaxSnaplen+64)}
	b.data = pcapwriter.AppendSection(b.data, &pcapwriter.Section{})
	b.data = pcapwriter.AppendInterface(b.data, &pcapwriter.Interface{
		Name: ifname, LinkType: 1, Snaplen: afpacket.MaxSnaplen,
	})
	return b, nil
}

// add appends an Enhanced Packet Block.
func (b *batch) add(p *afpacket.Packet) error {
	const (
		blockType = 6
		headLen   = 28
		tailLen   = 4
	)
	n := len(p.Data)
	aligned := (n + 3) &^ 3
	total := headLen + aligned + tailLen
	start := len(b.data)
	b.data = slices.Grow(b.data, total)[:start+total]

	e := b.data[start:]
	h := e[:headLen]
	binary.LittleEndian.PutUint32(h[0:], blockType)
	binary.LittleEndian.PutUint32(h[4:], uint32(total))
	binary.LittleEndian.PutUint32(h[8:], 0)
	binary.LittleEndian.PutUint32(h[12:], uint32(p.Time>>32))
	binary.LittleEndian.PutUint32(h[16:], uint32(p.Time))
	binary.LittleEndian.PutUint32(h[20:], uint32(n))
	binary.LittleEndian.PutUint32(h[24:], uint32(p.Len))
	copy(e[headLen:], p.Data)
	clear(e[headLen+n : headLen+aligned])
	binary.LittleEndian.PutUint32(e[headLen+aligned:], uint32(total))

	if len(b.data) >= batchSize {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	_, err := b.file.Write(b.data)
	b.data = b.data[:0]
	return err
}
