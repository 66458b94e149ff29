package pods

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// maxFile bounds what is read of a file in /proc, in bytes. A cgroup file
	// has a path of at most 4096 bytes for each of a dozen hierarchies.
	maxFile = 64 << 10

	// maxEnviron does so for the environment, which can be larger.
	maxEnviron = 256 << 10

	maxCommand  = 15      // TASK_COMM_LEN less the NUL
	kernelFlag  = 1 << 21 // PF_KTHREAD of linux/sched.h
	kthreadd    = 2       // the PID of the kernel thread that makes others
	hostnameLen = 256
)

// A procDir is an open directory /proc/PID. It stays that of the one process,
// even if the PID is used again.
type procDir struct{ fd int }

func openProc(proc string, pid int) (procDir, error) {
	path := filepath.Join(proc, strconv.Itoa(pid))
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procDir{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return procDir{fd}, nil
}

func (d procDir) close() { unix.Close(d.fd) }

// read returns up to limit bytes of a file. There are thousands of files to
// read, so this takes no more than three system calls for most of them.
func (d procDir) read(name string, limit int) ([]byte, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 2<<10)
	for len(b) < limit {
		b = slices.Grow(b, 1<<10)
		n, err := unix.Read(fd, b[len(b):min(cap(b), limit)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, &os.PathError{Op: "read", Path: name, Err: err}
		case n == 0:
			return b, nil
		}
		b = b[:len(b)+max(n, 0)]
	}
	return b, nil
}

// inode returns the inode of a file, following links.
func (d procDir) inode(name string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &st, 0); err != nil {
		return 0, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	return st.Ino, nil
}

// readRooted reads a file below the root of the process, which is not to be
// trusted: no symbolic link leads out of it, and nothing but a regular file is
// opened, because to open a pipe or a device can block or do something.
func (d procDir) readRooted(name string, limit int64) ([]byte, error) {
	root, err := unix.Openat(d.fd, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "root", Err: err}
	}
	defer unix.Close(root)
	fd, err := unix.Openat2(root, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, &os.PathError{Op: "openat2", Path: name, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, &os.PathError{Op: "read", Path: name, Err: unix.EINVAL}
	}
	f, err := os.Open("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// readMember reads all of it from one life of a PID.
func readMember(proc string, pid int) (member, error) {
	d, err := openProc(proc, pid)
	if err != nil {
		return member{}, err
	}
	defer d.close()
	b, err := d.read("stat", maxFile)
	if err != nil {
		return member{}, err
	}
	m := member{Process: Process{PID: pid}}
	if m.Command, m.Start, m.kernel, err = parseStat(b); err != nil || m.kernel {
		return m, err
	}
	if b, err = d.read("status", maxFile); err != nil {
		return member{}, err
	}
	if m.UID, err = parseUID(string(b)); err != nil {
		return member{}, err
	}
	m.parent = parseParent(string(b))
	// The file is there in every kernel with cgroups.
	b, err = d.read("cgroup", maxFile)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return member{}, err
	}
	in := parseCgroup(string(b))
	m.podUID, m.ContainerID = in.podUID, in.containerID
	if m.podUID != "" {
		b, _ := d.read("cmdline", maxFile) // without it, it is none
		m.runtime = isRuntime(string(b))
	}
	m.inode, err = d.inode("ns/net")
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		m.refused, err = true, nil
	}
	return m, err
}

// parseStat reads /proc/PID/stat: the second field, in parentheses, which may
// have spaces and parentheses in it; flags, the ninth; and starttime, the
// 22nd. See proc_pid_stat(5).
func parseStat(b []byte) (command string, start uint64, kernel bool, err error) {
	from, to := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if from < 0 || to < from {
		return "", 0, false, fmt.Errorf("parse stat: no command in parentheses")
	}
	const third = 3 // the number of the first field after the command
	f := strings.Fields(string(b[to+1:]))
	if len(f) <= 22-third {
		return "", 0, false, fmt.Errorf("parse stat: %d fields after the command", len(f))
	}
	flags, err := strconv.ParseUint(f[9-third], 10, 64)
	if err != nil {
		return "", 0, false, fmt.Errorf("parse stat: flags: %w", err)
	}
	start, err = strconv.ParseUint(f[22-third], 10, 64)
	if err != nil {
		return "", 0, false, fmt.Errorf("parse stat: start time: %w", err)
	}
	return printable(b[from+1 : to]), start, flags&kernelFlag != 0, nil
}

// printable cuts a command and replaces what could confuse a terminal.
func printable(b []byte) string {
	b = bytes.Clone(b[:min(len(b), maxCommand)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// parseUID reads the effective user out of /proc/PID/status: "Uid: Real,
// effective, saved set, and filesystem UIDs", proc_pid_status(5).
func parseUID(status string) (int, error) {
	for line := range strings.Lines(status) {
		ids, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		f := strings.Fields(ids)
		if len(f) < 2 {
			break
		}
		uid, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("parse status: user: %w", err)
		}
		return int(uid), nil
	}
	return 0, errors.New("parse status: no user")
}

// parseParent reads the PID of the parent out of /proc/PID/status, 0 if it is in
// another PID namespace.
func parseParent(status string) int {
	for line := range strings.Lines(status) {
		if pid, ok := strings.CutPrefix(line, "PPid:"); ok {
			parent, _ := strconv.Atoi(strings.TrimSpace(pid)) // the kernel writes a number
			return parent
		}
	}
	return 0
}

// gone reports whether an error says that a process ended. A zombie still has
// a directory, but no namespaces.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH)
}
