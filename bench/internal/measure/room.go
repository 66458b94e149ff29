package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CheckRoom makes sure that a file of so many bytes fits into a folder, and
// that it is what it should be: memory, or a disk.
func CheckRoom(dir string, need int64, disk bool) error {
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

// TakesDirect tells whether files in a folder may be opened with O_DIRECT,
// past the page cache.
func TakesDirect(dir string) (bool, error) {
	path := filepath.Join(dir, fmt.Sprintf("icap-bench-direct-%d", os.Getpid()))
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EINVAL) {
		_ = os.Remove(path) // it may be there all the same
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return true, errors.Join(unix.Close(fd), os.Remove(path))
}
