package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"
)

// checkMemory refuses rings that would take more than half of the memory
// that is available. The kernel would grant it, and then kill something.
func checkMemory(rings int) error {
	available, ok := memAvailable("/proc/meminfo")
	if ok && rings>>10 > available/2 {
		return usagef("rings of %d KiB are more than half of the %d KiB of memory available: make -B, --blocks or --fanout smaller", rings>>10, available)
	}
	return nil
}

// memoryLeft is how much memory this process can still take, in bytes, as far as
// that is known.
func memoryLeft() int {
	left := math.MaxInt
	if kib, ok := memAvailable("/proc/meminfo"); ok {
		left = kib << 10
	}
	if limit, ok := cgroupMemory("/"); ok {
		left = min(left, int(limit))
	}
	return left
}

// memAvailable reads the line of proc_meminfo(5), in KiB.
func memAvailable(path string) (kib int, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), "MemAvailable:"); found {
			_, err := fmt.Sscan(rest, &kib)
			return kib, err == nil
		}
	}
	return 0, false
}
