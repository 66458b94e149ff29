package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// CPUs are two: one sends, the other captures.
type CPUs struct {
	Send, Capture int
}

// ChooseCPUs takes the first two CPUs that the process may use, and the first
// for both where there is but one.
func ChooseCPUs() (CPUs, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return CPUs{}, os.NewSyscallError("sched_getaffinity", err)
	}
	var found []int
	for i := 0; len(found) < min(2, set.Count()); i++ {
		if set.IsSet(i) {
			found = append(found, i)
		}
	}
	return CPUs{Send: found[0], Capture: found[len(found)-1]}, nil
}

func (c CPUs) String() string {
	if c.Send == c.Capture {
		return fmt.Sprintf("everything on CPU %d, the only one: these figures say little", c.Send)
	}
	return fmt.Sprintf("sender on CPU %d, capture on CPU %d", c.Send, c.Capture)
}

// PinProcess lets all threads of this process run on one CPU only. Otherwise
// its own runtime would wake up on the CPU of the capture every now and then.
// A thread inherits its CPUs, so none escapes that is made meanwhile by one
// that is pinned already; a second pass finds those of the others.
func PinProcess(cpu int) error {
	var only unix.CPUSet
	only.Set(cpu)
	for range 2 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			err = unix.SchedSetaffinity(tid, &only)
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("pin to CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
			}
		}
	}
	return nil
}

// pinned runs f on a thread that may use one CPU only. A process that f
// starts inherits that.
func pinned(cpu int, f func() error) error {
	runtime.LockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return os.NewSyscallError("sched_getaffinity", err)
	}
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("pin to CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
	}
	defer func() {
		// A thread that stays pinned ends with its goroutine instead of
		// going back to the scheduler.
		if unix.SchedSetaffinity(0, &before) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}
