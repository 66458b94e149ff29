package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// A Veth transmits by a packet socket on one end of a veth pair, with the
// frames of one burst prepared.
type Veth struct {
	fd     int
	frames [maxBurst][]byte
	vector [maxBurst]unix.Iovec
	burst  [maxBurst]message
}

// A message is struct mmsghdr of sendmmsg(2).
type message struct {
	header unix.Msghdr
	length uint32
}

// OpenVeth opens the socket in the namespace of ns. It is bound with
// protocol 0, so it receives nothing. PACKET_QDISC_BYPASS takes the frames
// past the queueing discipline, and what the other end does with them is done
// on the sender's CPU before the system call returns.
func OpenVeth(ns *nsswitch.NS, ifname string) (*Veth, error) {
	s := &Veth{fd: -1}
	err := ns.Do(func() error {
		dev, err := net.InterfaceByName(ifname)
		if err != nil {
			return err
		}
		s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
			return os.NewSyscallError("setsockopt PACKET_QDISC_BYPASS", err)
		}
		return os.NewSyscallError("bind", unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: dev.Index}))
	})
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open sender on %s: %w", ifname, err)
	}
	return s, nil
}

// Close closes the socket.
func (s *Veth) Close() error {
	if s.fd < 0 {
		return nil
	}
	err := unix.Close(s.fd)
	s.fd = -1
	return os.NewSyscallError("close", err)
}

// Send sends in bursts, each when it is due.
func (s *Veth) Send(ctx context.Context, l Load, run uint32) (sent int, took time.Duration, err error) {
	frames := NewFrames(l.Sizes, run)
	s.prepare(frames)
	gap, burst := gap(l.Rate), burst(l.Rate)
	start := time.Now()
	giveUp := start.Add(l.patience())
	for sent < l.Count {
		now := waitUntil(start.Add(due(uint64(sent), gap)))
		if ctx.Err() != nil || now.After(giveUp) {
			break
		}
		n := min(burst, l.Count-sent)
		for i := range n {
			s.number(i, frames, uint32(sent+i))
		}
		done, err := s.flush(n)
		sent += done
		if err != nil {
			return sent, time.Since(start), err
		}
	}
	return sent, time.Since(start), ctx.Err()
}

// prepare makes the largest frame in every place of the burst.
func (s *Veth) prepare(frames *Frames) {
	for i := range s.burst {
		s.frames[i] = append(s.frames[i][:0], frames.largest...)
		s.vector[i].Base = &s.frames[i][0]
		s.burst[i].header.Iov = &s.vector[i]
		s.burst[i].header.SetIovlen(1)
	}
}

// number makes the frame at a place of the burst frame n. Frames of different
// sizes differ in their headers and their lengths only.
func (s *Veth) number(place int, frames *Frames, n uint32) {
	model := frames.model(n)
	copy(s.frames[place], model[:runOffset])
	setSequence(s.frames[place], n)
	s.vector[place].SetLen(len(model))
}

// flush sends the first n frames of the burst, or fewer. The kernel refuses a
// frame with ENOBUFS when the other end has no room; it is sent again then.
func (s *Veth) flush(n int) (int, error) {
	r, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.burst[0])), uintptr(n), 0, 0, 0)
	switch {
	case errno == 0:
		return int(r), nil
	case errors.Is(errno, unix.ENOBUFS), errors.Is(errno, unix.EINTR), errors.Is(errno, unix.EAGAIN):
		return 0, nil
	}
	return 0, os.NewSyscallError("sendmmsg", errno)
}

// waitUntil sleeps, by the system call and not by the Go runtime's timers, up
// to a point in time and returns the time that it is then.
func waitUntil(due time.Time) time.Time {
	for {
		now := time.Now()
		left := due.Sub(now)
		if left <= 0 {
			return now
		}
		ts := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&ts, nil) // looked at the clock again anyway
	}
}
