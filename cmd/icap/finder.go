package main

import (
	"slices"
	"time"

	"icap/internal/kernel"
)

// A finder finds the processes that have sockets, first among those that it
// has found before. It is for one goroutine.
type finder struct {
	proc   string        // where proc(5) is mounted
	pids   []int         // of all that were found
	looked time.Time     // when all processes were looked into last
	took   time.Duration // how long that took
}

// processes are those with the sockets, by inode, as far as they are found.
func (f *finder) processes(inodes []uint64) map[uint64]kernel.Process {
	var found map[uint64]kernel.Process
	if len(f.pids) > 0 {
		found, _ = kernel.OwnersAmong(f.proc, f.pids, inodes)
	}
	if len(found) == len(inodes) || time.Since(f.looked) < 10*f.took {
		return found
	}
	return f.search(inodes)
}

// process is the one that has a socket.
func (f *finder) process(inode uint64) (kernel.Process, bool) {
	p, ok := f.processes([]uint64{inode})[inode]
	return p, ok
}

// search looks into all processes of the machine, as far as that is allowed.
func (f *finder) search(inodes []uint64) map[uint64]kernel.Process {
	begun := time.Now()
	owners, _ := kernel.Owners(f.proc, inodes)
	f.looked = time.Now()
	f.took = f.looked.Sub(begun)
	for _, p := range owners {
		if !slices.Contains(f.pids, p.PID) {
			f.pids = append(f.pids, p.PID)
		}
	}
	return owners
}
