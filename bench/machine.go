package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine describes what the figures were measured on, in a line. The load
// average tells whether others were busy there when the run began.
func machine() string {
	var name unix.Utsname
	kernel := "unknown kernel"
	if unix.Uname(&name) == nil {
		kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	memory := "unknown memory"
	if unix.Sysinfo(&info) == nil {
		memory = fmt.Sprintf("%.0f GiB", float64(info.Totalram)*float64(info.Unit)/(1<<30))
	}
	load, _ := os.ReadFile("/proc/loadavg")
	average, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%d CPUs (%s), %s, %s, %s, load average %s before the run",
		runtime.NumCPU(), processor(), memory, kernel, runtime.Version(), average)
}

// processor is the model of the first CPU.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// checkRoom makes sure that a file of so many bytes fits into a folder, and
// that it is what it should be: memory, or a disk.
func checkRoom(dir string, need int64, disk bool) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	inMemory := int64(st.Type) == unix.TMPFS_MAGIC
	switch {
	case disk && inMemory:
		return fmt.Errorf("%s is no disk but tmpfs", dir)
	case !disk && !inMemory:
		return fmt.Errorf("%s is not tmpfs; files elsewhere are for -disk", dir)
	case int64(st.Bavail)*st.Bsize < need:
		return fmt.Errorf("%s has room for %d MiB, %d MiB are needed", dir, int64(st.Bavail)*st.Bsize>>20, need>>20)
	}
	return nil
}

// revision is the commit that a program in Go was built from, if it knows.
func revision(program string) string {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return ""
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	return commit + changed
}
