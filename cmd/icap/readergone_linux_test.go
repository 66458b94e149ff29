package main

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReaderGone: a capture that sees no packet ends when its reader has gone,
// and not when that has only stopped to write.
func TestReaderGone(t *testing.T) {
	w := newWire(t)
	pipe := func() (ours, theirs *os.File, err error) { return os.Pipe() }
	pair := func() (ours, theirs *os.File, err error) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, nil, err
		}
		// As sshd does when its client has no more input.
		err = unix.Shutdown(fds[0], unix.SHUT_WR)
		return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs"), err
	}
	for _, test := range []struct {
		name string
		open func() (ours, theirs *os.File, err error)
		args []string
		code int
	}{
		{"pipe", pipe, []string{"-w", "-"}, exitFault},
		{"socket", pair, []string{"-w", "-"}, exitFault},
		{"lines", pipe, nil, exitDone},
	} {
		t.Run(test.name, func(t *testing.T) {
			ours, theirs, err := test.open()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			cmd := icap(t, append(test.args, "-i", "vb", "-c", "1", "udp port 9")...)
			cmd.Stdout = theirs
			p := start(t, w.b, listening, cmd)
			theirs.Close()
			if err := ours.Close(); err != nil {
				t.Fatal(err)
			}
			if code := p.end(0); code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, p.text())
			}
		})
		t.Run(test.name+" stays", func(t *testing.T) {
			ours, theirs, err := test.open()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			cmd := icap(t, append(test.args, "-i", "vb", "-c", "1", "udp port 9")...)
			cmd.Stdout = theirs
			p := start(t, w.b, listening, cmd)
			theirs.Close()
			w.send(t, 1, 30)
			out, err := io.ReadAll(ours)
			if err != nil && !errors.Is(err, os.ErrClosed) || len(out) < 50 {
				t.Errorf("%d bytes, %v", len(out), err)
			}
			if code := p.end(0); code != exitDone {
				t.Errorf("exit code %d\n%s", code, p.text())
			}
		})
	}
}

// TestExtcapReaderGone ends the plug-in with Wireshark's pipe.
func TestExtcapReaderGone(t *testing.T) {
	w := newWire(t)
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := icap(t, "--capture", "--extcap-interface", "icap-netns:"+w.b.String(), "--fifo", path, "--extcap-capture-filter", "udp port 9")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fifo, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fifo.Read(make([]byte, 4096)); err != nil {
		t.Error(err)
	}
	if err := fifo.Close(); err != nil {
		t.Error(err)
	}
	// A plug-in that goes on would be waited for until the test's time is up.
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
