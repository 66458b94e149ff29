package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// confine keeps the whole program on some CPUs: the threads that there are,
// and by them those to come. With no list it does nothing.
func (l cpuList) confine() error {
	if len(l) == 0 {
		return nil
	}
	// A thread that comes while the list is read is seen the second time.
	for range 2 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				continue
			}
			if err := l.pin(tid); err != nil && err != unix.ESRCH {
				return fmt.Errorf("--cpu %s: %w", l.String(), os.NewSyscallError("sched_setaffinity", err))
			}
		}
	}
	return nil
}

// take keeps the goroutine, on a thread of its own, on the CPU of worker i.
// The thread ends with the goroutine.
func (l cpuList) take(i int) error {
	if len(l) == 0 {
		return nil
	}
	runtime.LockOSThread()
	return os.NewSyscallError("sched_setaffinity", cpuList{l[i%len(l)]}.pin(0))
}

// pin keeps a thread, 0 for the calling one, on the CPUs of the list.
func (l cpuList) pin(tid int) error {
	var set unix.CPUSet
	for _, cpu := range l {
		set.Set(cpu)
	}
	return unix.SchedSetaffinity(tid, &set)
}
