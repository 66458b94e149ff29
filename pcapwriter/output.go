package pcapwriter

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// An output is the file under a Writer, and what is known of its state.
type output struct {
	f       *os.File
	raw     syscall.RawConn
	regular bool  // a regular file, which can be cut
	linked  bool  // it had a name at the beginning
	end     int64 // where its last whole block ends; only of regular files
}

// newOutput looks at what f is. Writing continues wherever f stands, which is
// not the beginning where a shell opened it with >>.
func newOutput(f *os.File) (*output, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	o := &output{f: f, raw: raw, regular: fi.Mode().IsRegular(), linked: hasName(fi)}
	if !o.regular {
		return o, nil
	}
	if appends(raw) {
		o.end = fi.Size()
		return o, nil
	}
	o.end, err = f.Seek(0, io.SeekCurrent)
	return o, err
}

// check finds what others did to the file since the last write.
func (o *output) check() error {
	if !o.regular {
		return nil
	}
	fi, err := o.f.Stat()
	switch {
	case err != nil:
		return unwrapPath(err)
	case fi.Size() < o.end:
		return ErrTruncated
	case o.linked && !hasName(fi):
		return ErrUnlinked
	}
	return nil
}

// cutBack removes what is behind the last whole block, and says whether it is
// gone.
func (o *output) cutBack() bool {
	if !o.regular || o.f.Truncate(o.end) != nil {
		return false
	}
	_, err := o.f.Seek(o.end, io.SeekStart)
	return err == nil
}

// unwrapPath takes the name off an error that a WriteError will name again.
func unwrapPath(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}
