package pods

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// scanEvery is the least time between two passes over all processes.
const scanEvery = time.Second

func (s Scanner) awaitEnd(ctx context.Context, p *Pod) error {
	for {
		last := time.Now()
		home, err := s.survivor(p)
		if err == nil && home == nil {
			return ctx.Err()
		}
		if err == nil {
			_ = s.awaitExit(ctx, *home) // the next pass tells whether it has ended
		}
		if err := sleep(ctx, scanEvery-time.Since(last)); err != nil {
			return err
		}
	}
}

// sleep waits for some time, or not at all if it is over.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// survivor returns the process of the pod that is likely to live longest, nil
// if there is none.
func (s Scanner) survivor(p *Pod) (*Process, error) {
	members, err := s.members()
	if err != nil {
		return nil, err
	}
	return survivorOf(p, members)
}

// survivorOf takes a process whose namespace may not be seen, for want of a
// privilege that was given up, for one that is still there.
func survivorOf(p *Pod, members []member) (*Process, error) {
	var now Pod
	hidden := false
	for _, m := range members {
		switch {
		case m.refused && m.Start == 0:
			hidden = true // by the mount option hidepid: it can be anybody's
		case m.podUID == p.UID && (m.inode == p.Inode || m.refused && p.UID != ""):
			now.Processes = append(now.Processes, m.Process)
		}
	}
	home := now.Home()
	if home == nil && hidden {
		return nil, fmt.Errorf("look for processes of %s: %w", p.Title(), fs.ErrPermission)
	}
	return home, nil
}

// awaitExit returns nil when a process has ended.
func (s Scanner) awaitExit(ctx context.Context, p Process) error {
	f, err := s.pidfd(p)
	if err != nil {
		return s.tickUntilExit(ctx, p)
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) }) // pidfd has seen that it takes one
	defer stop()
	return raw.Read(func(fd uintptr) bool {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 0)
		return n > 0 && err == nil
	})
}

// pidfd opens a process to wait for, see pidfd_open(2): "the file descriptor
// becomes readable when the process terminates". PIDs of another proc file
// system than the caller's may be other processes here.
func (s Scanner) pidfd(p Process) (*os.File, error) {
	if s.proc() != "/proc" {
		return nil, unix.ENOTSUP
	}
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	if err := s.visit(p, func(procDir) {}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Where the runtime cannot wait for it, there are no deadlines either.
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// tickUntilExit looks for the process from time to time.
func (s Scanner) tickUntilExit(ctx context.Context, p Process) error {
	for s.visit(p, func(procDir) {}) == nil {
		if err := sleep(ctx, scanEvery); err != nil {
			return err
		}
	}
	return nil
}
