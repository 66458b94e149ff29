package main

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

// A load is what is sent in one run.
type load struct {
	Size  int // of a frame, in bytes, from the Ethernet header on
	Rate  int // frames a second
	Count int // frames
}

func (l load) String() string {
	if l.Count == 0 {
		return "no packets"
	}
	return fmt.Sprintf("%d B, %d kpps, %d packets", l.Size, l.Rate/1000, l.Count)
}

// duration is how long the load takes if the sender keeps the rate.
func (l load) duration() time.Duration {
	return time.Duration(float64(l.Count) / float64(l.Rate) * float64(time.Second))
}

// burstLen is how many frames go out by one system call: few enough for
// 100 us at the rates in use, since that is about what a timer can keep.
const burstLen = 32

// A sender is a packet socket on one end of the veth pair, with the frames of
// one burst prepared.
type sender struct {
	fd     int
	frames [burstLen][]byte
	vector [burstLen]unix.Iovec
	burst  [burstLen]message
}

// A message is struct mmsghdr of sendmmsg(2).
type message struct {
	header unix.Msghdr
	length uint32
}

// newSender opens the socket in the namespace of ns. It is bound with
// protocol 0, so it receives nothing. PACKET_QDISC_BYPASS takes the frames
// past the queueing discipline, and what the other end does with them is done
// on the sender's CPU before the system call returns.
func newSender(ns *nsswitch.NS, ifname string) (*sender, error) {
	s := &sender{fd: -1}
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
		s.close()
		return nil, fmt.Errorf("open sender on %s: %w", ifname, err)
	}
	return s, nil
}

func (s *sender) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
}

// send sends a load in bursts, each when it is due, and returns how many
// frames went out: fewer than wanted if the context ends or the sender cannot
// nearly keep the rate.
func (s *sender) send(ctx context.Context, l load, frame []byte) (sent int, took time.Duration, err error) {
	for i := range s.burst {
		s.frames[i] = append(s.frames[i][:0], frame...)
		s.vector[i].Base = &s.frames[i][0]
		s.vector[i].SetLen(len(frame))
		s.burst[i].header.Iov = &s.vector[i]
		s.burst[i].header.SetIovlen(1)
	}
	start := time.Now()
	giveUp := start.Add(5*l.duration() + 5*time.Second)
	for sent < l.Count {
		due := start.Add(time.Duration(float64(sent) / float64(l.Rate) * float64(time.Second)))
		now := waitUntil(due)
		if ctx.Err() != nil || now.After(giveUp) {
			break
		}
		n := min(burstLen, l.Count-sent)
		for i := range n {
			setSequence(s.frames[i], uint32(sent+i))
		}
		done, err := s.flush(n)
		sent += done
		if err != nil {
			return sent, time.Since(start), err
		}
	}
	return sent, time.Since(start), ctx.Err()
}

// flush sends the first n frames of the burst, or fewer. The kernel refuses a
// frame with ENOBUFS when the other end has no room; it is sent again then.
func (s *sender) flush(n int) (int, error) {
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
