package pcapwriter

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// fileMode lets nobody but the owner read what was captured.
const fileMode = 0o600

// Create makes the file that a capture is written to, with mode 0600, and
// locks it against other captures for as long as it is open.
//
// A file that exists is an error, [fs.ErrExist]; with force a regular file is
// emptied and gets mode 0600 instead, unless another capture has it locked
// ([ErrInUse]). A symbolic link is never followed ([syscall.ELOOP]); a
// directory ([syscall.EISDIR]) or a device ([ErrNotRegular]) is never opened.
// A missing directory is [fs.ErrNotExist].
//
// A named pipe that exists is opened for writing, with or without force.
// Create does not wait for its reader: without one, the error is
// [ErrNoReader], and the caller tries again as long as it likes.
//
// All errors are of type [*fs.PathError] and name path.
func Create(path string, force bool) (*os.File, error) {
	return createIn(anywhere{}, path, force)
}

// A directory opens files by their names in it, as an [os.Root] does.
type directory interface {
	OpenFile(name string, flag int, mode fs.FileMode) (*os.File, error)
	Lstat(name string) (fs.FileInfo, error)
}

// anywhere is the directory in which names are paths.
type anywhere struct{}

func (anywhere) OpenFile(name string, flag int, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, mode)
}

func (anywhere) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

func createIn(d directory, path string, force bool) (*os.File, error) {
	f, err := d.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|openFlags, fileMode)
	if err == nil {
		return orClose(lock(f), f)
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	fi, err := d.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := refuse(fi.Mode(), force); err != nil {
		return nil, createError(path, err)
	}
	f, err = openExisting(d, path, fi)
	if err != nil {
		return nil, err
	}
	if fi.Mode().IsRegular() {
		return orClose(empty(f), f)
	}
	return f, nil
}

// orClose returns f, or closes it because of err.
func orClose(err error, f *os.File) (*os.File, error) {
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// refuse says what forbids to write to an existing file of this mode.
func refuse(mode fs.FileMode, force bool) error {
	switch mode.Type() {
	case 0:
		if !force {
			return fs.ErrExist
		}
		return nil
	case fs.ModeNamedPipe:
		return nil
	case fs.ModeSymlink:
		return syscall.ELOOP
	case fs.ModeDir:
		return syscall.EISDIR
	}
	return ErrNotRegular
}

// openExisting opens path if it still is the file that fi describes. The file
// is not touched before that is certain.
func openExisting(d directory, path string, fi fs.FileInfo) (*os.File, error) {
	f, err := d.OpenFile(path, os.O_WRONLY|openFlags, 0)
	if errors.Is(err, syscall.ENXIO) {
		// From fifo(7): "opening for write-only fails with ENXIO (no such
		// device or address) unless the other end has already been opened".
		return nil, createError(path, ErrNoReader)
	}
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil && !os.SameFile(now, fi) {
		err = createError(path, errReplaced)
	}
	return orClose(err, f)
}

// errReplaced means that a file was exchanged for another while it was opened.
var errReplaced = errors.New("file was replaced while it was opened")

// empty takes over a regular file that holds something else.
func empty(f *os.File) error {
	if err := lock(f); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	// Some file systems have no modes. There the one that the user chose to
	// overwrite is as private as it can be.
	if err := f.Chmod(fileMode); err != nil && !errors.Is(err, fs.ErrPermission) &&
		!errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// createError is an error of Create about path.
func createError(path string, err error) error {
	return &fs.PathError{Op: "create", Path: path, Err: err}
}
