package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// closedAtStart reports whether a standard file was closed when icap was
// started. The Go runtime has then opened /dev/null for reading and writing in
// its place, where a shell would open it for writing only.
func closedAtStart(f *os.File) bool {
	fi, err := f.Stat()
	if err != nil {
		return true
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || fi.Mode()&os.ModeCharDevice == 0 || st.Rdev != unix.Mkdev(1, 3) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
