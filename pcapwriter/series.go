package pcapwriter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A Series creates the files of one capture in one directory, which it keeps
// open: what becomes of the directory's path, or of the right to walk it, does
// not matter. It is for one goroutine.
type Series struct {
	root  *os.Root
	dir   string
	force bool
}

// OpenSeries opens the directory. With force, files that exist are emptied and
// overwritten, as by [Create].
func OpenSeries(dir string, force bool) (*Series, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Series{root: root, dir: dir, force: force}, nil
}

// Create makes the file of a name, under the rules and with the errors of
// [Create], but for named pipes, which are refused ([ErrNotRegular]).
//
// Own, if it is not nil, is a file of this series that had the name before, in
// a ring of files. It is opened as it is, to be overwritten in place, because
// that takes half the time of making a new one: a [Writer] begins at its start,
// and cuts off at the end what is left of the old content. If it was renamed
// or removed meanwhile, a new file is made.
func (s *Series) Create(name string, own fs.FileInfo) (*os.File, error) {
	f, err := s.open(name, own)
	var e *fs.PathError
	if errors.As(err, &e) {
		return nil, createError(filepath.Join(s.dir, name), e.Err)
	}
	return f, err
}

func (s *Series) open(name string, own fs.FileInfo) (*os.File, error) {
	fi, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createIn(s.root, name, false)
	case err != nil:
		return nil, err
	case fi.Mode()&fs.ModeNamedPipe != 0:
		return nil, createError(name, ErrNotRegular)
	case own != nil && os.SameFile(fi, own):
		f, err := openExisting(s.root, name, fi)
		if err != nil {
			return nil, err
		}
		return orClose(lock(f), f)
	}
	return createIn(s.root, name, s.force)
}

// Exists is [fs.ErrExist] when Create would refuse a name for that.
func (s *Series) Exists(name string) error {
	if _, err := s.root.Lstat(name); err == nil && !s.force {
		return createError(filepath.Join(s.dir, name), fs.ErrExist)
	}
	return nil
}

// Remove removes a file of the series.
func (s *Series) Remove(name string) error { return s.root.Remove(name) }

// Close closes the directory. Files that are open stay so.
func (s *Series) Close() error { return s.root.Close() }
