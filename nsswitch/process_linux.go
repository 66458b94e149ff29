package nsswitch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Process looks a PID up and remembers which of its lives it is.
func (p Proc) Process(pid int) (Process, error) {
	dir, err := p.openDir(pid)
	if err != nil {
		return Process{}, err
	}
	defer dir.Close()
	start, err := readStart(dir)
	if err != nil {
		return Process{}, fmt.Errorf("process %d: %w", pid, gone(err))
	}
	return Process{PID: pid, Start: start}, nil
}

// Open opens the namespace of a process. The directory of the process is
// opened once and everything is read through it: from then on the kernel
// answers ESRCH when that process has ended, never for a successor with the
// same number.
func (p Proc) Open(proc Process) (*NS, error) {
	dir, err := p.openDir(proc.PID)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	name := "pid:" + strconv.Itoa(proc.PID)
	if proc.Start != 0 {
		start, err := readStart(dir)
		if err != nil {
			return nil, fmt.Errorf("process %d: %w", proc.PID, gone(err))
		}
		if start != proc.Start {
			return nil, fmt.Errorf("process %d: %w: it ended, and its number belongs to another process now", proc.PID, ErrProcessGone)
		}
	}
	path := filepath.Join(dir.Name(), "ns/net")
	fd, err := unix.Openat(int(dir.Fd()), "ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		err = &os.PathError{Op: "open", Path: path, Err: err}
		return nil, fmt.Errorf("open network namespace of process %d: %w", proc.PID, explain(gone(err), "another user's process"))
	}
	return adopt(fd, path, name)
}

// OpenInode looks for a namespace by inode number: first among the named
// ones, which need no privilege to open, then among the processes.
func (p Proc) OpenInode(inode uint64) (*NS, error) {
	named, _ := filepath.Glob(filepath.Join(Dir, "*"))
	procs, _ := filepath.Glob(filepath.Join(p.root(), "[0-9]*", "ns", "net"))
	refused := false
	for _, path := range append(named, procs...) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			refused = refused || errors.Is(err, fs.ErrPermission)
			continue
		}
		if st.Ino != inode {
			continue
		}
		n, err := open(path, fmt.Sprintf("inode:%d", inode))
		if err == nil && n.id.Inode == inode {
			return n, nil
		}
		if err == nil {
			_ = n.Close()
		}
	}
	err := fs.ErrNotExist
	if refused {
		err = fmt.Errorf("%w among those that could be read (the rest need CAP_SYS_PTRACE)", err)
	}
	return nil, fmt.Errorf("open network namespace: inode %d: %w", inode, err)
}

func (p Proc) openDir(pid int) (*os.File, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("process %d: not a process number", pid)
	}
	dir, err := os.Open(filepath.Join(p.root(), strconv.Itoa(pid)))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, gone(err))
	}
	return dir, nil
}

func readStart(dir *os.File) (uint64, error) {
	fd, err := unix.Openat(int(dir.Fd()), "stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	f := os.NewFile(uintptr(fd), "stat")
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	return startTime(b)
}

// gone turns the kernel's answers about an ended process into one error.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return ErrProcessGone
	}
	return err
}
