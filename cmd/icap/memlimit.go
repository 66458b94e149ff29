package main

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory has garbage collected early enough for the memory limit of the
// cgroup, unless GOMEMLIMIT says something else. The memory of rings is the
// kernel's, and no cgroup counts it (measured on Linux 6.18); an eighth is left
// for what is not Go's.
func limitMemory() {
	if limit, ok := cgroupMemory("/"); ok && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit - limit/8)
	}
}

// cgroupMemory is the least memory limit of the cgroups that this process is in,
// of version 2 or 1 of cgroups(7), in bytes. Root is that of the file system.
func cgroupMemory(root string) (limit int64, ok bool) {
	f, err := os.Open(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	limit = math.MaxInt64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// hierarchy:controllers:path
		fields := strings.SplitN(lines.Text(), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[0] == "0" && fields[1] == "":
			limit = min(limit, leastLimit(filepath.Join(root, "sys/fs/cgroup"), fields[2], "memory.max"))
		case fields[1] == "memory":
			limit = min(limit, leastLimit(filepath.Join(root, "sys/fs/cgroup/memory"), fields[2], "memory.limit_in_bytes"))
		}
	}
	// Version 1 calls no limit the largest number of pages.
	const none = math.MaxInt64 - 1<<20
	return limit, limit < none
}

// leastLimit is the least limit of a cgroup and all above it. In a container the
// path can be that of the node, where only the top is to be seen.
func leastLimit(mount, path, file string) int64 {
	limit := int64(math.MaxInt64)
	for path = filepath.Join("/", path); ; path = filepath.Dir(path) {
		text, err := os.ReadFile(filepath.Join(mount, path, file))
		if n, nerr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && nerr == nil && n > 0 {
			limit = min(limit, n)
		}
		if path == "/" {
			return limit
		}
	}
}
