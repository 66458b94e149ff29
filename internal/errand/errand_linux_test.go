package errand

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pair is a client, and a server with a handler.
func pair(t *testing.T, h Handler) *Client {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wires [2]*wire
	for i, fd := range fds {
		if wires[i], err = newWire(os.NewFile(uintptr(fd), "pair")); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- serveOn(wires[1], h) }()
	c := newClient(wires[0])
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		<-c.Gone()
	})
	return c
}

// TestAsk: each answer comes to who has asked, of any length and with its files.
func TestAsk(t *testing.T) {
	c := pair(t, func(_ context.Context, request []byte) (a Answer, err error) {
		r, w, err := os.Pipe()
		if err != nil {
			return a, err
		}
		defer w.Close()
		_, err = w.Write(request)
		return Answer{Data: bytes.Repeat(request, MaxRequest), Files: []*os.File{r}}, err
	})
	done := make(chan error)
	const many = 20
	for i := range many {
		go func() {
			text := strings.Repeat("x", i)
			a, err := c.Ask(t.Context(), []byte(text))
			if err == nil {
				var own []byte
				own, err = io.ReadAll(a.Files[0])
				if string(own) != text || string(a.Data) != strings.Repeat(text, MaxRequest) {
					t.Errorf("request %d: %d bytes, %q in the file", i, len(a.Data), own)
				}
				closeAll(a.Files)
			}
			done <- err
		}()
	}
	for range many {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAskError(t *testing.T) {
	c := pair(t, func(context.Context, []byte) (Answer, error) {
		return Answer{}, errors.New("not today")
	})
	if a, err := c.Ask(t.Context(), nil); err == nil || err.Error() != "not today" || a.Data != nil {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := c.Ask(t.Context(), make([]byte, MaxRequest+1)); err == nil {
		t.Error("a request that is too long was sent")
	}
}

// TestCancel ends the errand at the other end, too.
func TestCancel(t *testing.T) {
	begun, ended := make(chan bool, 1), make(chan bool, 1)
	c := pair(t, func(ctx context.Context, _ []byte) (Answer, error) {
		begun <- true
		<-ctx.Done()
		ended <- true
		return Answer{}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	if _, err := c.Ask(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-ended
}

// TestGone: whoever waits for a helper that ends is told.
func TestGone(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWire(os.NewFile(uintptr(fds[0]), "pair"))
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(w)
	asked := make(chan error)
	go func() {
		_, err := c.Ask(t.Context(), []byte("x"))
		asked <- err
	}()
	if _, err := unix.Read(fds[1], make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(fds[1]); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; !errors.Is(err, ErrGone) {
		t.Errorf("while it waits: %v", err)
	}
	<-c.Gone()
	if _, err := c.Ask(t.Context(), nil); !errors.Is(err, ErrGone) {
		t.Errorf("later: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestServeHostile: files that come with a request are closed, and what is no
// request ends the service.
func TestServeHostile(t *testing.T) {
	for _, frame := range [][]byte{{1}, {0, 0, 0, 0, 9}, {0, 0, 0, 0, byte(kindAnswer)}, make([]byte, longestFrame+1)} {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		w, err := newWire(os.NewFile(uintptr(fds[0]), "pair"))
		if err != nil {
			t.Fatal(err)
		}
		sent, other, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Sendmsg(fds[1], frame, unix.UnixRights(int(other.Fd())), nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		if err := serveOn(w, nil); err == nil {
			t.Errorf("%.9x was taken", frame)
		}
		if n, err := sent.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("the file that came is still open: %d, %v", n, err)
		}
		if err := errors.Join(sent.Close(), unix.Close(fds[1])); err != nil {
			t.Error(err)
		}
	}
}

// FuzzFrame: what is read as a frame is what would have been written.
func FuzzFrame(f *testing.F) {
	for k := range kindError + 1 {
		f.Add((&frame{7, k, []byte("data")}).append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := parseFrame(b); err == nil && !bytes.Equal(got.append(nil), b) {
			t.Errorf("%x is read as %+v", b, got)
		}
	})
}
