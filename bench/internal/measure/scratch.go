package measure

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scratchPattern names scratch folders, as os.MkdirTemp and filepath.Glob
// understand it.
const scratchPattern = "icap-bench-*"

// A Scratch is a folder for the time of a run. It is locked while its owner
// lives, so that one that a killed run has left can be told and removed.
type Scratch struct {
	Path string
	lock *os.File
}

// NewScratch makes a folder below dir, and removes stale ones there.
func NewScratch(dir string) (*Scratch, error) {
	if err := removeStale(dir); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(dir, scratchPattern)
	if err != nil {
		return nil, err
	}
	s := &Scratch{Path: path}
	if s.lock, err = lockDir(path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// removeStale leaves alone what is locked. A run that starts at the very same
// time can lose its folder between making and locking it, and then fails.
func removeStale(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, scratchPattern))
	if err != nil {
		return err
	}
	for _, path := range paths {
		lock, err := lockDir(path)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
	return nil
}

func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	return f, nil
}

func (s *Scratch) Close() error {
	err := os.RemoveAll(s.Path)
	if s.lock != nil {
		_ = s.lock.Close()
	}
	return err
}
