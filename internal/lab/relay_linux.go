package lab

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// serveRaw hands each connection to fn and closes it afterwards.
func serveRaw(l net.Listener, fn func(c *net.TCPConn) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			t := c.(*net.TCPConn)
			_ = t.SetDeadline(time.Now().Add(connLife))
			// Envoy, too, tells the two ends of a connection no more
			// about a failure than that it is over.
			if errors.Is(fn(t), errAbort) {
				_ = t.SetLinger(0)
				_ = t.Close()
				return
			}
			linger(t)
		}()
	}
}

// linger closes a connection with a FIN. To close it with data unread, such
// as the request to an upstream that refused, would send a reset.
func linger(c *net.TCPConn) {
	defer c.Close()
	if c.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.Copy(io.Discard, c)
}

// A duplex is a connection whose two directions end one at a time.
type duplex interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies both ways. The end of one direction is passed on as such; an
// error in one ends the other.
func join(a, b duplex) error {
	var (
		wg   sync.WaitGroup
		errs [2]error
	)
	for i, d := range [2][2]duplex{{a, b}, {b, a}} {
		wg.Go(func() { errs[i] = pipe(d[0], d[1]) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

func pipe(to, from duplex) error {
	_, err := io.Copy(to, from)
	if err != nil {
		hangUp(to)
		hangUp(from)
		return err
	}
	if err := to.CloseWrite(); err != nil {
		return err
	}
	// The end of a TLS stream is also the end of what goes over TCP.
	if t, ok := to.(*tls.Conn); ok {
		return t.NetConn().(*net.TCPConn).CloseWrite()
	}
	return nil
}

func hangUp(d duplex) {
	if c, ok := d.(io.Closer); ok {
		_ = c.Close()
	}
}

// recordHandshake is the first byte of every TLS connection.
const recordHandshake = 0x16

// peek waits for the first byte and leaves it in the socket, as Envoy's TLS
// inspector does.
func peek(c *net.TCPConn) (byte, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var (
		b     [1]byte
		n     int
		errno error
	)
	err = raw.Read(func(fd uintptr) bool {
		n, _, errno = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK)
		return errno != unix.EAGAIN && errno != unix.EINTR
	})
	if err = errors.Join(err, errno); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return b[0], nil
}
