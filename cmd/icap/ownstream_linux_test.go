package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/flow"
	"icap/nsswitch"
)

// receive makes a TCP server in a namespace, which reads all that it gets
// into a file.
func receive(t *testing.T, w wire) (addr, file string, done <-chan error) {
	t.Helper()
	var l net.Listener
	err := w.a.Do(func() (err error) {
		l, err = net.Listen("tcp", "10.9.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	file = temp(t, "received.pcapng")
	ended := make(chan error, 1)
	go func() {
		ended <- func() error {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			defer conn.Close()
			f, err := os.Create(file)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(f, conn)
			return err
		}()
	}()
	return l.Addr().String(), file, ended
}

// tcpPackets counts those of TCP in a file, and all others.
func tcpPackets(t *testing.T, file string) (tcp, other int) {
	t.Helper()
	for _, packets := range readPcapng(t, file).interfaces {
		for _, p := range packets {
			var h flow.Headers
			if h.Decode([]byte(p.data)); h.Proto == 6 {
				tcp++
			} else {
				other++
			}
		}
	}
	return tcp, other
}

// TestOwnStream sends the packets of an interface through that interface: by a
// socket, and by a pipe to a program with one.
func TestOwnStream(t *testing.T) {
	const own, loop = "the output's own stream is left out", 50
	// capture ends by itself after so many packets, which only the stream
	// itself can be.
	capture := func(t *testing.T, w wire, include bool, out *os.File) *proc {
		args := []string{"-i", "vb", "-w", "-"}
		if include {
			args = append(args, "--include-own-stream", "-c", "50")
		}
		cmd := icap(t, args...)
		cmd.Stdout = out
		p := start(t, w.b, listening, cmd)
		out.Close()
		if strings.Contains(p.text(), own) == include {
			t.Errorf("--include-own-stream %t: it says\n%s", include, p.text())
		}
		w.send(t, 5, 30)
		if include {
			p.end(0)
			return p
		}
		time.Sleep(300 * time.Millisecond) // for a loop to grow
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Errorf("exit code %d\n%s", code, p.text())
		}
		return p
	}
	judge := func(t *testing.T, include bool, file string, p *proc) {
		tcp, other := tcpPackets(t, file)
		if include && tcp+other != loop || include && tcp < loop/2 || !include && (tcp > 0 || other < 5) {
			t.Errorf("--include-own-stream %t: %d packets of TCP, %d others\n%s", include, tcp, other, p.text())
		}
	}
	for _, include := range []bool{true, false} {
		t.Run("socket", func(t *testing.T) {
			w := newWire(t)
			addr, file, done := receive(t, w)
			var out *os.File
			err := w.b.Do(func() error {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					return err
				}
				defer conn.Close()
				out, err = conn.(*net.TCPConn).File()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			p := capture(t, w, include, out)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			judge(t, include, file, p)
		})
		t.Run("pipe", func(t *testing.T) {
			w := newWire(t)
			addr, file, done := receive(t, w)
			host, port, _ := strings.Cut(addr, ":")
			r, out, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			relay := exec.Command("bash", "-c", "exec 3<>/dev/tcp/"+host+"/"+port+"; echo connected >&2; cat >&3")
			relay.Stdin = r
			q := start(t, w.b, "connected", relay)
			r.Close()
			p := capture(t, w, include, out)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			q.end(0)
			judge(t, include, file, p)
		})
	}
}

// TestOwnStreamOfSSH reads what sshd says of a connection.
func TestOwnStreamOfSSH(t *testing.T) {
	for said, want := range map[string]string{
		"10.0.0.1 50000 10.0.0.2 22": "tcp and host 10.0.0.1 and host 10.0.0.2 and port 50000 and port 22",
		"fe80::1%eth0 5 fe80::2 22":  "tcp and host fe80::1 and host fe80::2 and port 5 and port 22",
		"":                           "", "UNKNOWN 65535 UNKNOWN 65535": "", "1.2.3.4 5 or 6": "",
	} {
		got := ""
		for _, o := range ofSSH(said, nsswitch.ID{}) {
			got += o.expr
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
		if _, err := new(captureFlags).compile(got, anyMask); err != nil {
			t.Error(err)
		}
	}
}

// TestUntilStdinEOF ends a capture with its standard input, and not before.
func TestUntilStdinEOF(t *testing.T) {
	w := newWire(t)
	file := temp(t, "eof.pcapng")
	cmd := icap(t, "--netns", w.b.String(), "-i", "vb", "-w", file, "--until-stdin-eof", "--duration", "1m", "udp")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, listening, cmd)
	w.send(t, 3, 30)
	if _, err := io.WriteString(in, "what comes is nobody's\n"); err != nil {
		t.Fatal(err)
	}
	w.send(t, 4, 30)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.end(0); code != exitDone || !strings.Contains(p.text(), "standard input has ended") || readPcapng(t, file).total != 7 {
		t.Errorf("exit code %d, %d packets\n%s", code, readPcapng(t, file).total, p.text())
	}
	// Without the flag nobody looks at standard input.
	cmd = icap(t, "--netns", w.b.String(), "-i", "vb", "-c", "2", "-w", file, "--force", "udp")
	cmd.Stdin = strings.NewReader("")
	p = start(t, nil, listening, cmd)
	w.send(t, 2, 30)
	if code := p.end(0); code != exitDone || readPcapng(t, file).total != 2 {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
}

// TestUntilStdinSilent ends a capture whose client says nothing any more, though
// standard input is open, and not one whose client does.
func TestUntilStdinSilent(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	file := temp(t, "silent.pcapng")
	cmd := icap(t, "--netns", w.b.String(), "-i", "vb", "-w", file, "--until-stdin-silent", "2s", "udp")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, listening, cmd)
	for range 30 {
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatalf("it has ended: %v\n%s", err, p.text())
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.send(t, 3, 30)
	if code := p.end(0); code != exitDone || !strings.Contains(p.text(), "silent for 2s") || readPcapng(t, file).total != 3 {
		t.Errorf("exit code %d, %d packets\n%s", code, readPcapng(t, file).total, p.text())
	}
}

// TestClockUntilSilent ends a clock that nobody asks any more.
func TestClockUntilSilent(t *testing.T) {
	t.Parallel()
	cmd := icap(t, "clock", "--until-stdin-silent", "300ms")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
