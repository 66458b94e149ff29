package direct

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"icap/pcapwriter"
)

// Probe tries whether files in the directory of path take writes with
// O_DIRECT, on a file without a name. A path that exists and is no regular
// file is none to write so. An error wraps ErrRefused, or says what else is
// wrong with the directory.
func Probe(path string) error {
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return pcapwriter.ErrNotRegular
	}
	dir := filepath.Dir(path)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	var f *os.File
	switch {
	case err == nil:
		f = os.NewFile(uintptr(fd), dir)
	case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR):
		// The file system has no files without a name.
		if f, err = os.CreateTemp(dir, ".icap-*"); err != nil {
			return err
		}
		defer os.Remove(f.Name())
	default:
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer f.Close()
	o := &File{f: f, fd: int(f.Fd())}
	return o.begin(make([]byte, pageSize))
}

// InMemory reports whether a file at path would be in memory, where O_DIRECT
// is taken but spares nothing.
func InMemory(path string) bool {
	var st unix.Statfs_t
	err := unix.Statfs(filepath.Dir(path), &st)
	return err == nil && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC)
}

// setDirect turns O_DIRECT on or off. It fails where the file system has no
// such writes at all; others say so only when written to.
func (o *File) setDirect(on bool) error {
	flags, err := unix.FcntlInt(uintptr(o.fd), unix.F_GETFL, 0)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	flags &^= unix.O_DIRECT
	if on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(uintptr(o.fd), unix.F_SETFL, flags)
	return os.NewSyscallError("fcntl", err)
}

// alignedPages is memory of at least n bytes that a write with O_DIRECT takes.
func alignedPages(n int) (pages []byte, free func(), err error) {
	pages, err = unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return pages, func() { _ = unix.Munmap(pages) }, nil
}

// write writes all of b at an offset or fails, and says how much was written.
func (o *File) write(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		m, err := unix.Pwrite(o.fd, b[n:], at+int64(n))
		n += max(m, 0)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case m == 0:
			return n, io.ErrShortWrite
		}
	}
	return n, nil
}

// check finds what others did to the file, of which so much is written.
func (o *File) check(written int64) error {
	var st unix.Stat_t
	if err := unix.Fstat(o.fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	switch {
	case st.Size < written:
		return pcapwriter.ErrTruncated
	case st.Nlink == 0:
		return pcapwriter.ErrUnlinked
	}
	return nil
}
