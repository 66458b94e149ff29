package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// A bench is everything that the runs share.
type bench struct {
	wire    *wire
	sender  *sender
	cpus    cpus
	ifindex int
	files   *scratch // of the captures
	runs    uint32   // so far
}

// newBench makes the namespaces, and a folder below dir.
func newBench(dir string) (b *bench, err error) {
	b = new(bench)
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.cpus, err = chooseCPUs(); err != nil {
		return b, err
	}
	if err = pinProcess(b.cpus.send); err != nil {
		return b, err
	}
	if b.files, err = newScratch(dir); err != nil {
		return b, err
	}
	if b.wire, err = newWire(); err != nil {
		return b, err
	}
	if b.sender, err = newSender(b.wire.send, sendName); err != nil {
		return b, err
	}
	err = b.wire.capture.Do(func() error {
		dev, err := net.InterfaceByName(captureName)
		if err == nil {
			b.ifindex = dev.Index
		}
		return err
	})
	return b, err
}

func (b *bench) close() error {
	var errs []error
	if b.sender != nil {
		b.sender.close()
	}
	if b.wire != nil {
		errs = append(errs, b.wire.close())
	}
	if b.files != nil {
		errs = append(errs, b.files.close())
	}
	return errors.Join(errs...)
}

// A result is what one run of one peer gave.
type result struct {
	Sent     int
	Rate     float64       // that the sender kept, in packets a second
	CPU      time.Duration // user and system, from ready to exit
	Waited   time.Duration // for a CPU that others had, from ready to stop
	Packets  uint64        // in the file, or counted where there is none
	Lost     uint64        // sent and not in Packets
	Dropped  uint64        // that the program says the kernel dropped
	FileSize int64
	Memory   int64 // most that was resident, in bytes
	Fault    error // what is wrong with the file
}

// cost is the CPU time for each packet in nanoseconds.
func (r *result) cost() float64 {
	if r.Packets == 0 {
		return 0
	}
	return float64(r.CPU) / float64(r.Packets)
}

// run starts a peer, sends a load, stops the peer and checks its file.
func (b *bench) run(ctx context.Context, p *peer, l load) (r result, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s at %s: %w", p.name, l, err)
		}
	}()
	b.runs++
	frame := newFrame(l.Size, b.runs)
	file := filepath.Join(b.files.path, fmt.Sprintf("%d-%s", b.runs, p.name))
	defer os.Remove(file)

	argv := append([]string{p.program}, p.args(captureName, file)...)
	proc, err := startProcess(b.wire.capture, b.cpus.capture, argv)
	if err != nil {
		return r, err
	}
	defer proc.kill()
	if err := proc.awaitReady(ctx, b.ifindex); err != nil {
		return r, proc.explain(err)
	}
	before, err := proc.clock()
	if err != nil {
		return r, proc.explain(err)
	}
	waited := proc.waited()
	sent, took, err := b.sender.send(ctx, l, frame)
	if err != nil {
		return r, err
	}
	r.Sent, r.Rate = sent, float64(sent)/took.Seconds()
	if err := proc.awaitRest(ctx, p.retire+50*time.Millisecond); err != nil {
		return r, proc.explain(err)
	}
	if r.Memory, err = proc.peakMemory(); err != nil {
		return r, proc.explain(err)
	}
	r.Waited = proc.waited() - waited
	all, err := proc.stop()
	if err != nil {
		return r, err
	}
	r.CPU = all - before
	return r, b.judge(p, proc.output.String(), file, frame, &r)
}

// judge takes the packets from the file and the drops from the words of the
// program, and finds whether they explain each other.
func (b *bench) judge(p *peer, words, file string, frame []byte, r *result) error {
	captured, dropped, err := counts(words)
	if err != nil {
		return err
	}
	r.Packets, r.Dropped = captured, dropped
	if p.open != nil {
		v, err := checkFile(file, p.open, frame, r.Sent)
		if err != nil {
			return err
		}
		r.Packets, r.FileSize, r.Fault = v.Packets, v.Bytes, v.fault()
	}
	r.Lost = uint64(r.Sent) - min(r.Packets, uint64(r.Sent))
	if r.Fault == nil && r.Lost != r.Dropped {
		r.Fault = fmt.Errorf("%d of %d packets are missing, %d were counted as dropped", r.Lost, r.Sent, r.Dropped)
	}
	return nil
}

var countLine = regexp.MustCompile(`(?m)^(\d+) packets? (captured|dropped by kernel)`)

// counts reads the lines that tcpdump prints at its end, and the others after
// its example.
func counts(words string) (captured, dropped uint64, err error) {
	found := map[string]uint64{}
	for _, m := range countLine.FindAllStringSubmatch(words, -1) {
		if found[m[2]], err = strconv.ParseUint(m[1], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	if len(found) != 2 {
		return 0, 0, fmt.Errorf("counts missing at the end of:\n%s", words)
	}
	return found["captured"], found["dropped by kernel"], nil
}
