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
	excess  bool  // something may stand, or be reserved, behind end
	end     int64 // where its last whole block ends; only of regular files

	reserved int64 // up to where room was taken on the disk
	reserve  int64 // the most to take ahead; 0: nothing
	limit    int64 // beyond which nothing is taken; 0: none
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
	o.excess, o.reserved = fi.Size() > o.end, fi.Size()
	return o, err
}

// put writes whole blocks, or says how many bytes of them are written.
func (o *output) put(b []byte) (n int, err error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	o.takeRoom(int64(len(b)))
	if n, err = o.write(b); err == nil {
		o.end += int64(n)
	}
	return n, err
}

// leastRoom is what is worth to be reserved, in bytes.
const leastRoom = 4 << 20

// takeRoom reserves room ahead of what is to be written. If it cannot, the
// write will show whether that matters.
func (o *output) takeRoom(n int64) {
	if o.reserve == 0 || o.end < leastRoom || o.end+n <= o.reserved {
		return
	}
	from := max(o.reserved, o.end)
	room := min(o.reserve, o.end, o.free()/4)
	if o.limit > 0 {
		room = min(room, o.limit-from)
	}
	if room < leastRoom || o.allocate(from, room) != nil {
		o.reserve = 0
		return
	}
	o.excess, o.reserved = true, from+room
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
// gone. It never makes a file longer that somebody else has cut.
func (o *output) cutBack() bool {
	if !o.regular {
		return false
	}
	fi, err := o.f.Stat()
	if err != nil {
		return false
	}
	if fi.Size() < o.end {
		return true
	}
	if o.f.Truncate(o.end) != nil {
		return false
	}
	o.excess = false
	_, err = o.f.Seek(o.end, io.SeekStart)
	return err == nil
}

// unwrapPath takes the name off an error that a WriteError will name again.
func unwrapPath(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}
