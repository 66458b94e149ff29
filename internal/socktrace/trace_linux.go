package socktrace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// room is for how many records there is before they are read.
const room = 1 << 13

// license is what the kernel wants of a program that reads its memory.
const license = "Dual MIT/GPL"

type trace struct {
	*layout
	ring   *ebpf.Map
	reader *ringbuf.Reader
	links  []link.Link
	epoch  int64 // of the kernel's clock, in nanoseconds since 1970
	last   ringbuf.Record

	connecting map[uint64]Record // by socket: their ports are not known yet
	later      Record            // comes next
	hasLater   bool
}

func open(netns []uint64) (*Trace, error) {
	t, err := attach(netns)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		err = fmt.Errorf("%w (needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("trace sockets: %w", err)
	}
	return &Trace{*t}, nil
}

func attach(netns []uint64) (_ *trace, err error) {
	l, err := readLayout()
	if err != nil {
		return nil, err
	}
	t := &trace{layout: l, connecting: make(map[uint64]Record)}
	if t.epoch, err = bootTime(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	_ = rlimit.RemoveMemlock() // needed before Linux 5.11 only; the map tells
	t.ring, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: pages(room, os.Getpagesize())})
	if err != nil {
		return nil, fmt.Errorf("make a ring of records: %w", err)
	}
	for _, p := range []struct {
		tracepoint string
		code       func(netns []uint64, ring int) asm.Instructions
	}{
		{"inet_sock_set_state", l.ofState}, {"tcp_send_reset", l.ofSent}, {"tcp_receive_reset", l.ofReceived},
	} {
		if err := t.attach(p.tracepoint, p.code(netns, t.ring.FD())); err != nil {
			return nil, fmt.Errorf("attach to %s: %w", p.tracepoint, err)
		}
	}
	if t.reader, err = ringbuf.NewReader(t.ring); err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return t, nil
}

func (t *trace) attach(tracepoint string, code asm.Instructions) error {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.RawTracepoint, Instructions: code, License: license})
	if err != nil {
		return err
	}
	defer p.Close() // the link holds it
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: p})
	if err == nil {
		t.links = append(t.links, l)
	}
	return err
}

func (t *trace) next() (Record, error) {
	if t.hasLater {
		t.hasLater = false
		return t.later, nil
	}
	for {
		err := t.reader.ReadInto(&t.last)
		if errors.Is(err, ringbuf.ErrClosed) {
			return Record{}, fmt.Errorf("trace sockets: %w", os.ErrClosed)
		}
		if err != nil {
			return Record{}, fmt.Errorf("trace sockets: %w", err)
		}
		r, ok := t.decode(t.last.RawSample)
		if !ok {
			continue
		}
		if r, ok = t.complete(r, binary.NativeEndian.Uint64(t.last.RawSample[atSocket:])); ok {
			return r, nil
		}
	}
}

func (t *trace) close() (err error) {
	for _, l := range t.links {
		err = errors.Join(err, l.Close())
	}
	if t.reader != nil {
		err = errors.Join(err, t.reader.Close())
	}
	if t.ring != nil {
		err = errors.Join(err, t.ring.Close())
	}
	return err
}

// bootTime is when the kernel's monotonic clock was 0.
func bootTime() (int64, error) {
	var now, since unix.Timespec
	if err := errors.Join(unix.ClockGettime(unix.CLOCK_REALTIME, &now), unix.ClockGettime(unix.CLOCK_MONOTONIC, &since)); err != nil {
		return 0, fmt.Errorf("read clocks: %w", err)
	}
	return now.Nano() - since.Nano(), nil
}
