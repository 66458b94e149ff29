//go:build !linux

package pcapwriter

import (
	"io/fs"
	"syscall"
)

// write writes all of b or fails, and says how much was written.
func (o *output) write(b []byte) (int, error) {
	n, err := o.f.Write(b)
	return n, unwrapPath(err)
}

// appends is not known here; files from Create do not.
func appends(syscall.RawConn) bool { return false }

// hasName is not known here; no file counts as removed.
func hasName(fs.FileInfo) bool { return true }
