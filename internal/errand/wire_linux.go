package errand

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// maxFiles is how many come with one datagram.
const maxFiles = 64

// A wire carries frames, one datagram each.
type wire struct {
	conn *net.UnixConn
	mu   sync.Mutex // one writes at a time
}

// newWire makes a wire of an end of a pair of sockets, and closes the file.
func newWire(f *os.File) (*wire, error) {
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("not a socket of a pair"), conn.Close())
	}
	return &wire{conn: u}, nil
}

// send sends a frame, and files with it.
func (w *wire) send(f *frame, files []*os.File) error {
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, file := range files {
			raw, err := file.SyscallConn()
			if err != nil {
				return err
			}
			if err := raw.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
				return err
			}
		}
		rights = unix.UnixRights(fds...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _, err := w.conn.WriteMsgUnix(f.append(nil), rights, nil)
	runtime.KeepAlive(files)
	return err
}

// receive waits for a frame. Its data is valid until the next call if the
// buffer is the same. The error is io.EOF if the other end is closed.
func (w *wire) receive(buffer []byte) (f frame, files []*os.File, err error) {
	control := make([]byte, unix.CmsgSpace(maxFiles*4))
	n, rights, flags, _, err := w.conn.ReadMsgUnix(buffer, control)
	if errors.Is(err, unix.ECONNRESET) {
		err = io.EOF // with something on its way that nobody will read
	}
	if err != nil {
		return f, nil, err
	}
	if files, err = parseRights(control[:rights]); err != nil {
		return f, nil, err
	}
	switch {
	case n == 0 && rights == 0:
		return f, nil, io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = errors.New("a frame that is too long")
	default:
		f, err = parseFrame(buffer[:n])
	}
	if err != nil {
		closeAll(files)
	}
	return f, files, err
}

// parseRights are the files that came with a datagram.
func parseRights(control []byte) (files []*os.File, err error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // something else
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing was written
	}
}
