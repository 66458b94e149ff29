package main

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

// A process is a running capture program.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer // of both streams; only read after the end
	ns     *nsswitch.NS
}

// startProcess starts a program in a namespace and on one CPU. The kernel
// kills it should this process die without a chance to do so.
func startProcess(ns *nsswitch.NS, cpu int, argv []string) (*process, error) {
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), ns: ns}
	p.cmd.Stdout = &p.output
	p.cmd.Stderr = &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := ns.Do(func() error { return pinned(cpu, p.cmd.Start) })
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return p, nil
}

// clock is the CPU time that the process has used so far, all threads, user
// and system, to the nanosecond. The clock's number is made as
// clock_getcpuclockid(3) makes it.
func (p *process) clock() (time.Duration, error) {
	const schedClock = 2
	id := int32(^p.cmd.Process.Pid)<<3 | schedClock
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of %s: %w", p.cmd.Args[0], err)
	}
	return time.Duration(ts.Nano()), nil
}

// awaitReady waits until a packet socket receives on the interface and the
// program has gone to sleep: then it is done with opening, and with emptying
// the socket of what came before the filter.
func (p *process) awaitReady(ctx context.Context, ifindex int) error {
	deadline := time.Now().Add(patience)
	for {
		up, err := p.receives(ifindex)
		if err != nil {
			return err
		}
		if up {
			return p.awaitRest(ctx, 30*time.Millisecond)
		}
		if p.exited() || time.Now().After(deadline) {
			return fmt.Errorf("%s does not capture", p.cmd.Args[0])
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// receives looks for a packet socket that is bound to an interface of the
// program's namespace, for all protocols, and running.
func (p *process) receives(ifindex int) (up bool, err error) {
	err = p.ns.Do(func() error {
		// sk RefCnt Type Proto Iface R Rmem User Inode
		b, err := os.ReadFile("/proc/thread-self/net/packet")
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 5 && f[3] == "0003" && f[4] == fmt.Sprint(ifindex) && f[5] == "1" {
				up = true
			}
		}
		return err
	})
	return up, err
}

// exited reports whether the program has ended by itself.
func (p *process) exited() bool {
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.cmd.Process.Pid))
	return errors.Is(err, os.ErrNotExist)
}

// awaitRest waits until the program has used no CPU time for so long. One
// that never rests is let go after a while; its file will tell.
func (p *process) awaitRest(ctx context.Context, long time.Duration) error {
	last, err := p.clock()
	deadline := time.Now().Add(patience)
	for since := time.Now(); err == nil && time.Since(since) < long && time.Now().Before(deadline); {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		var now time.Duration
		if now, err = p.clock(); now != last {
			last, since = now, time.Now()
		}
	}
	return err
}

// waited is how long the threads of the program were ready to run and could
// not, because others had the CPU: the second number of proc(5)'s schedstat.
// Kernels without such statistics say nothing.
func (p *process) waited() time.Duration {
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

// peakMemory is the most memory that the program ever had resident, in
// bytes. The ru_maxrss of a child would begin with this process's own.
func (p *process) peakMemory() (int64, error) {
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

// stop ends the program as a user would and returns all the CPU time that it
// has used.
func (p *process) stop() (time.Duration, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // Wait tells of one that has ended
	killer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer killer.Stop()
	if err := p.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(p.cmd.Args, " "), err, p.output.String())
	}
	s := p.cmd.ProcessState
	return s.UserTime() + s.SystemTime(), nil
}

// explain adds to an error what the program has said, and ends it for that.
func (p *process) explain(err error) error {
	p.kill()
	return fmt.Errorf("%w\n%s", err, p.output.String())
}

// kill makes sure that the program is gone.
func (p *process) kill() {
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
