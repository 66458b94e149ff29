//go:build !linux

package pcapwriter

import (
	"errors"
	"io/fs"
	"syscall"
)

// write writes all of b or fails, and says how much was written.
func (o *output) write(b []byte) (int, error) {
	n, err := o.f.Write(b)
	return n, unwrapPath(err)
}

// onDisk is not known here.
func (o *output) onDisk() bool { return false }

// free is not asked for here.
func (o *output) free() int64 { return 0 }

// allocate is not known here.
func (o *output) allocate(int64, int64) error { return errors.ErrUnsupported }

// appends is not known here; files from Create do not.
func appends(syscall.RawConn) bool { return false }

// hasName is not known here; no file counts as removed.
func hasName(fs.FileInfo) bool { return true }
