package pods

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func (s Scanner) arrivals() (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	var errs []error
	for _, dir := range []string{s.netns(), s.podLogs()} {
		const events = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
		if _, err := unix.InotifyAddWatch(fd, dir, events|unix.IN_ONLYDIR); err != nil {
			errs = append(errs, &os.PathError{Op: "watch", Path: dir, Err: err})
		}
	}
	if len(errs) == 2 {
		return nil, errors.Join(append(errs, f.Close())...)
	}
	return f, nil
}
