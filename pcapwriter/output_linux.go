package pcapwriter

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// write writes all of b or fails, and says how much was written. It waits on
// the runtime poller where the file allows, so that deadlines work on pipes.
//
// It does not use os.File.Write, because that ends the program by SIGPIPE when
// standard output is a pipe that nobody reads any more. From package signal:
// "A write to a broken pipe on file descriptors 1 or 2 (standard output or
// standard error) will cause the program to exit with a SIGPIPE signal."
func (o *output) write(b []byte) (n int, err error) {
	waitErr := o.raw.Write(func(fd uintptr) bool {
		for n < len(b) {
			m, e := unix.Write(int(fd), b[n:])
			n += max(m, 0)
			switch {
			case e == unix.EINTR:
			case e == unix.EAGAIN:
				return false
			case e != nil:
				err = e
				return true
			case m == 0:
				err = io.ErrShortWrite
				return true
			}
		}
		return true
	})
	if err == nil {
		err = waitErr
	}
	return n, unwrapPath(err)
}

// onDisk says whether the file takes room on a disk, and not in memory.
func (o *output) onDisk() bool {
	switch st, err := o.statfs(); {
	case !o.regular || err != nil:
		return false
	default:
		magic := uint32(st.Type)
		return magic != unix.TMPFS_MAGIC && magic != unix.RAMFS_MAGIC
	}
}

// free is how many bytes of the file system are free for everybody.
func (o *output) free() int64 {
	st, err := o.statfs()
	if err != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

func (o *output) statfs() (st unix.Statfs_t, err error) {
	cerr := o.raw.Control(func(fd uintptr) { err = unix.Fstatfs(int(fd), &st) })
	return st, errors.Join(err, cerr)
}

// allocate reserves room on the disk without making the file longer.
func (o *output) allocate(from, n int64) (err error) {
	cerr := o.raw.Control(func(fd uintptr) {
		err = unix.Fallocate(int(fd), unix.FALLOC_FL_KEEP_SIZE, from, n)
	})
	return errors.Join(err, cerr)
}

// appends says whether every write goes to the end of the file (O_APPEND).
func appends(raw syscall.RawConn) (yes bool) {
	err := raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		yes = err == nil && flags&unix.O_APPEND != 0
	})
	return yes && err == nil
}

// hasName says whether the file still is in a directory.
func hasName(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 0
}
