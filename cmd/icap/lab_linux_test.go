package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// A proc is a program under test, icap or a peer.
type proc struct {
	*exec.Cmd
	t      *testing.T
	ready  chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
	marker string
	found  bool
}

// start starts a program, inside a namespace if one is given, and waits until
// it says that it captures.
func start(t *testing.T, ns *nsswitch.NS, marker string, cmd *exec.Cmd) *proc {
	t.Helper()
	p := &proc{Cmd: cmd, t: t, ready: make(chan struct{}), marker: marker}
	cmd.Stderr = p
	begin := cmd.Start
	if ns != nil {
		begin = func() error { return ns.Do(cmd.Start) }
	}
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	select {
	case <-p.ready:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s does not start:\n%s", cmd.Args[0], p.text())
	}
	return p
}

// Write takes what the program says, and looks for the word that it captures.
func (p *proc) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stderr.Write(b)
	if !p.found && strings.Contains(p.stderr.String(), p.marker) {
		p.found = true
		close(p.ready)
	}
	return len(b), nil
}

func (p *proc) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// end sends a signal, if it is not 0, and returns the exit code.
func (p *proc) end(sig syscall.Signal) int {
	p.t.Helper()
	if sig != 0 {
		if err := p.Process.Signal(sig); err != nil {
			p.t.Fatal(err)
		}
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = p.Process.Kill() })
	defer timer.Stop()
	_ = p.Wait() // the code tells
	if p.ProcessState.ExitCode() < 0 {
		p.t.Fatalf("%s: %v\n%s", p.Args[0], p.ProcessState, p.text())
	}
	return p.ProcessState.ExitCode()
}

// icap is the test binary in the part of icap.
func icap(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("icap") // testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// listening is what icap says when all rings are on the wire.
const listening = "icap: listening on"

// tcpdump captures with a filter until the test ends it.
func tcpdump(t *testing.T, ns *nsswitch.NS, file string, args ...string) *proc {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	// Its buffer of its own accord holds 8 packets of any size.
	args = append([]string{"--immediate-mode", "-B", "16384", "-U", "-n", "-Z", "root", "-w", file}, args...)
	return start(t, ns, "listening on", exec.Command(path, args...))
}

// A packet is what two captures of the same wire must agree on.
type packet struct {
	data string
	size int
}

// readPcap reads a file of tcpdump, which may still be writing it.
func readPcap(t *testing.T, path string) []packet {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []packet
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, packet{string(data), ci.Length})
	}
}

// A pcapng is a file of icap, read by gopacket.
type pcapng struct {
	interfaces map[string][]packet // by name
	times      []time.Time
	total      int
}

func readPcapng(t *testing.T, path string) *pcapng {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := &pcapng{interfaces: make(map[string][]packet)}
	for {
		var data []byte
		var ci gopacket.CaptureInfo
		data, ci, err = r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		i, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		all.interfaces[i.Name] = append(all.interfaces[i.Name], packet{string(data), ci.Length})
		all.times = append(all.times, ci.Timestamp)
		all.total++
	}
}

// output runs a reader and returns what it prints. Anything on stderr but a
// warning about root is a failure.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		labtest.Skip(t, "needs "+name)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var said []string
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "Running as user") && !strings.HasPrefix(line, "reading from file") {
			said = append(said, line)
		}
	}
	if err != nil || len(said) > 0 {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, strings.Join(said, ""))
	}
	return stdout.String()
}

// await waits for what has to come.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func temp(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(t.TempDir(), name)
}
