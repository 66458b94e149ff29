package pcapwriter

import (
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
