package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// commLen is TASK_COMM_LEN less the NUL: "strings longer than TASK_COMM_LEN
// (16) characters (including the terminating null byte) are silently
// truncated", proc_pid_comm(5).
const commLen = 15

func owners(proc string, pids []int, inodes []uint64) (map[uint64]Process, error) {
	wanted := make(map[uint64]bool, len(inodes))
	for _, n := range inodes {
		wanted[n] = true
	}
	found := make(map[uint64]Process, len(wanted))
	if len(wanted) == 0 {
		return found, nil
	}
	if pids == nil {
		var err error
		if pids, err = listPIDs(proc); err != nil {
			return nil, fmt.Errorf("find owners of sockets: %w", err)
		}
	}
	refused := 0
	for _, pid := range pids {
		held, err := socketsOf(filepath.Join(proc, strconv.Itoa(pid), "fd"))
		if errors.Is(err, fs.ErrPermission) {
			refused++
		}
		var p Process
		for _, n := range held {
			if _, taken := found[n]; !wanted[n] || taken {
				continue
			}
			if p.PID == 0 {
				p = Process{PID: pid, Command: command(proc, pid)}
			}
			found[n] = p
		}
		if len(found) == len(wanted) {
			return found, nil
		}
	}
	if refused > 0 {
		return found, fmt.Errorf("find owners of sockets: %d of %d not found, and %w for %d "+
			"processes (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)",
			len(wanted)-len(found), len(wanted), fs.ErrPermission, refused)
	}
	return found, nil
}

// listPIDs returns the numeric names in proc, sorted.
func listPIDs(proc string) ([]int, error) {
	names, err := readNames(proc)
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(names))
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// readNames lists a directory in its own order and without a stat of each
// file, as os.ReadDir would not.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// socketsOf returns the inodes of the sockets in a directory of file
// descriptors. Those that are closed meanwhile are left out.
func socketsOf(dir string) ([]uint64, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var inodes []uint64
	var target [64]byte
	for _, name := range names {
		n, err := unix.Readlinkat(int(f.Fd()), name, target[:])
		if err != nil {
			continue
		}
		if inode, ok := socketInode(string(target[:n])); ok {
			inodes = append(inodes, inode)
		}
	}
	return inodes, nil
}

// socketInode reads "socket:[1234]", see proc_pid_fd(5).
func socketInode(link string) (uint64, bool) {
	s, ok := strings.CutPrefix(link, "socket:[")
	if !ok {
		return 0, false
	}
	s, ok = strings.CutSuffix(s, "]")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// command returns the name of a process, "" if it has gone.
func command(proc string, pid int) string {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	if err != nil {
		return ""
	}
	name := strings.TrimSuffix(string(b), "\n")
	name = name[:min(len(name), commLen)]
	printable := []byte(name)
	for i, c := range printable {
		if c < ' ' || c > '~' {
			printable[i] = '?'
		}
	}
	return string(printable)
}
