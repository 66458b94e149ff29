// Package proc runs a capture program on a CPU of its own, and watches it from
// outside: whether it captures, what it has used, when it is at rest.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// patience is how long a program may take for what it should do at once:
// start, come to rest, stop.
const patience = 10 * time.Second

// A Process is a running capture program.
type Process struct {
	Started time.Time // just before it was
	Ready   time.Time // when AwaitReady found it so

	cmd    *exec.Cmd
	output bytes.Buffer // of both streams; only read after the end
	ns     *nsswitch.NS
}

// Start starts a program in a namespace and on one CPU, with env besides the
// environment of this process. The kernel kills it should this process die
// without a chance to do so.
func Start(ns *nsswitch.NS, cpu int, argv []string, env ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(argv[0], argv[1:]...), ns: ns}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout = &p.output
	p.cmd.Stderr = &p.output
	p.cmd.WaitDelay = patience // for a child of it that keeps the streams
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := ns.Do(func() error {
		return pinned(cpu, func() error {
			p.Started = time.Now()
			return p.cmd.Start()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return p, nil
}

// Clock is the CPU time that the process has used so far, all threads, user
// and system, to the nanosecond. The clock's number is made as
// clock_getcpuclockid(3) makes it.
func (p *Process) Clock() (time.Duration, error) {
	const schedClock = 2
	id := int32(^p.cmd.Process.Pid)<<3 | schedClock
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of %s: %w", p.cmd.Args[0], err)
	}
	return time.Duration(ts.Nano()), nil
}

// AwaitReady waits until so many packet sockets receive on an interface, or,
// with an ifindex of 0, on any, and the program has gone to sleep: then it is
// done with opening, and with emptying the sockets of what came before the
// filter.
func (p *Process) AwaitReady(ctx context.Context, ifindex, sockets int) error {
	const settled = 30 * time.Millisecond
	if err := p.AwaitSockets(ctx, ifindex, sockets, 0); err != nil {
		return err
	}
	err := p.AwaitRest(ctx, settled)
	p.Ready = time.Now()
	return err
}

// AwaitSockets waits only until the sockets receive, and then so much longer.
func (p *Process) AwaitSockets(ctx context.Context, ifindex, sockets int, longer time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		n, err := p.receiving(ifindex)
		if err != nil {
			return err
		}
		if n >= sockets {
			return pause(ctx, longer)
		}
		if p.exited() || time.Now().After(deadline) {
			return fmt.Errorf("%s does not capture", p.cmd.Args[0])
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// receiving counts the packet sockets of the program's namespace that are
// bound to an interface, for all protocols, and running.
func (p *Process) receiving(ifindex int) (n int, err error) {
	err = p.ns.Do(func() error {
		// sk RefCnt Type Proto Iface R Rmem User Inode
		b, err := os.ReadFile("/proc/thread-self/net/packet")
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 5 && f[3] == "0003" && f[5] == "1" && (ifindex == 0 || f[4] == fmt.Sprint(ifindex)) {
				n++
			}
		}
		return err
	})
	return n, err
}

// Output is what the program has written to its standard streams. It may be
// asked for after Stop only.
func (p *Process) Output() string { return p.output.String() }

// exited reports whether the program has ended by itself.
func (p *Process) exited() bool {
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.cmd.Process.Pid))
	return errors.Is(err, os.ErrNotExist)
}

// AwaitRest waits until the program has used next to no CPU time for so long:
// some wake up now and then to look around. One that never rests is let go
// after a while; its file will tell.
func (p *Process) AwaitRest(ctx context.Context, long time.Duration) error {
	nextToNone := long / 500
	last, err := p.Clock()
	deadline := time.Now().Add(patience)
	for since := time.Now(); err == nil && time.Since(since) < long && time.Now().Before(deadline); {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		var now time.Duration
		if now, err = p.Clock(); now-last > nextToNone {
			last, since = now, time.Now()
		}
	}
	return err
}

// Waited is how long the threads of the program were ready to run and could
// not, because others had the CPU: the second number of proc(5)'s schedstat.
// Kernels without such statistics say nothing.
func (p *Process) Waited() time.Duration {
	var sum time.Duration
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, name := range files {
		b, _ := os.ReadFile(name) // a thread may have ended meanwhile
		var ran, delay time.Duration
		if _, err := fmt.Sscan(string(b), &ran, &delay); err == nil {
			sum += delay
		}
	}
	return sum
}

// PeakMemory is the most memory that the program ever had resident, in
// bytes. The ru_maxrss of a child would begin with this process's own.
func (p *Process) PeakMemory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("no VmHWM of %s", p.cmd.Args[0])
}

// Stop ends the program as a user would and returns all the CPU time that it
// has used.
func (p *Process) Stop() (time.Duration, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // Wait tells of one that has ended
	killer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer killer.Stop()
	if err := p.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(p.cmd.Args, " "), err, p.output.String())
	}
	s := p.cmd.ProcessState
	return s.UserTime() + s.SystemTime(), nil
}

// Explain adds to an error what the program has said, and ends it for that.
func (p *Process) Explain(err error) error {
	p.Kill()
	return fmt.Errorf("%w\n%s", err, p.output.String())
}

// Kill makes sure that the program is gone.
func (p *Process) Kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
