package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// checkMemory refuses a ring that would take more than half of the memory
// that is available. The kernel would grant it, and then kill something.
func checkMemory(ringKiB int) error {
	available, ok := memAvailable("/proc/meminfo")
	if ok && ringKiB > available/2 {
		return usagef("-B %d: more than half of the %d KiB of memory available", ringKiB, available)
	}
	return nil
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
