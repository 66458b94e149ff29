package pcapwriter

import (
	"os"

	"golang.org/x/sys/unix"
)

// openFlags keep open(2) from following a link in the last part of the path,
// from waiting for the reader of a named pipe, and from taking a terminal.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// lock keeps other captures off f until it is closed. Where the file system
// has no locks, there is nothing to keep.
func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var lockErr error
	err = raw.Control(func(fd uintptr) {
		lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
	})
	if lockErr == unix.EWOULDBLOCK {
		return createError(f.Name(), ErrInUse)
	}
	return err
}
