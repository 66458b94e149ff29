package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/bpfc"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// A wire is two namespaces; packets go from a to b, on whose vb icap captures.
type wire struct {
	a, b *nsswitch.NS
	to   netip.AddrPort
}

func newWire(t *testing.T) wire {
	t.Helper()
	w := wire{labtest.Namespace(t), labtest.Namespace(t), netip.MustParseAddrPort("10.9.0.2:9")}
	labtest.Veth(t, w.a, "va", w.b, "vb", netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("10.9.0.2/24"))
	return w
}

func (w wire) send(t *testing.T, n, size int) {
	t.Helper()
	if got, err := lab.SendUDP(w.a, w.to, n, size); got != n || err != nil {
		t.Fatalf("sent %d of %d: %v", got, n, err)
	}
}

// sendTo sends packets to another port than that of send.
func (w wire) sendTo(t *testing.T, port uint16, n int) {
	t.Helper()
	to := netip.AddrPortFrom(w.to.Addr(), port)
	if got, err := lab.SendUDP(w.a, to, n, 64); got != n || err != nil {
		t.Fatalf("sent %d of %d: %v", got, n, err)
	}
}

// capture starts icap on vb for UDP.
func (w wire) capture(t *testing.T, args ...string) *proc {
	t.Helper()
	args = append([]string{"--netns", w.b.String(), "-i", "vb"}, args...)
	return start(t, nil, listening, icap(t, append(args, "udp")...))
}

func TestBurstThenSIGTERM(t *testing.T) {
	const n = 2000
	w := newWire(t)
	for range 3 {
		file := temp(t, "burst.pcapng")
		p := w.capture(t, "-w", file)
		w.send(t, n, 200)
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Errorf("exit code %d\n%s", code, p.text())
		}
		if got := readPcapng(t, file).total; got != n {
			t.Errorf("%d of %d in the file\n%s", got, n, p.text())
		}
		for _, want := range []string{"2000 packets captured\n", "2000 packets received by filter\n", "0 packets dropped by kernel\n"} {
			if !strings.Contains(p.text(), want) {
				t.Errorf("no %q in\n%s", want, p.text())
			}
		}
	}
}

func TestBurstThenInterfaceDeleted(t *testing.T) {
	const n = 1000
	for range 3 {
		w := newWire(t)
		file := temp(t, "deleted.pcapng")
		p := w.capture(t, "-w", file)
		w.send(t, n, 200)
		labtest.WithLink(t, w.a, "va", netlink.LinkDel)
		if code := p.end(0); code != exitFault || !strings.Contains(p.text(), "interface is gone") {
			t.Errorf("exit code %d\n%s", code, p.text())
		}
		if got := readPcapng(t, file).total; got != n {
			t.Errorf("%d of %d in the file\n%s", got, n, p.text())
		}
	}
}

// TestPacketFlags: direction costs bytes, and is noted where it tells most.
func TestPacketFlags(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for _, tt := range []struct{ args, want string }{
		{"-i vb --write copy", "\n"},
		{"-i vb --write copy --packet-flags on", "0x00000001\n"},
		{"-i vb --write direct", "0x00000001\n"},
		{"-i vb --write direct --packet-flags off", "\n"},
		{"-i vb,lo", "0x00000001\n"},
		{"-i vb,lo --packet-flags off", "\n"},
	} {
		file := onDisk(t, "flags.pcapng")
		args := append(strings.Fields(tt.args), "--netns", w.b.String(), "-c1", "-w", file, "udp")
		p := start(t, nil, listening, icap(t, args...))
		w.send(t, 1, 100)
		if code := p.end(0); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		if got := output(t, "tshark", "-r", file, "-T", "fields", "-e", "frame.packet_flags_direction"); got != tt.want {
			t.Errorf("%s: direction %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestCountSnaplenAndText(t *testing.T) {
	w := newWire(t)
	file := temp(t, "count.pcapng")
	p := w.capture(t, "-w", file, "-c3", "-s60")
	w.send(t, 5, 200)
	if code := p.end(0); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	for name, packets := range readPcapng(t, file).interfaces {
		if name != "vb@netns:"+w.b.String() || len(packets) != 3 || len(packets[0].data) != 60 || packets[0].size != 242 {
			t.Errorf("%s: %d packets, the first of %d of %d bytes", name, len(packets), len(packets[0].data), packets[0].size)
		}
	}

	cmd := icap(t, "--netns", w.b.String(), "-nc2", "-i", "vb", "udp")
	var out strings.Builder
	cmd.Stdout = &out
	p = start(t, nil, listening, cmd)
	w.send(t, 2, 30)
	if code := p.end(0); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	if got := strings.Count(out.String(), " > 10.9.0.2.9: UDP, length 30\n"); got != 2 {
		t.Errorf("%d lines as expected in\n%s", got, out.String())
	}
}

// TestFilterTooLongForTheKernel captures with filters that are longer than a
// socket has room for, and longer than any socket takes: icap runs them, to the
// same effect.
func TestFilterTooLongForTheKernel(t *testing.T) {
	w := newWire(t)
	if err := w.b.Do(func() error {
		return os.WriteFile("/proc/sys/net/core/optmem_max", []byte("20480"), 0)
	}); err != nil {
		labtest.Skip(t, "needs a kernel with an optmem_max of each namespace: "+err.Error())
	}
	var pairs, clauses strings.Builder
	for i := range 500 {
		fmt.Fprintf(&pairs, "host 10.%d.%d.%d or ", 20+i%7, i/250, i*37%250)
	}
	for i := range 1500 {
		fmt.Fprintf(&clauses, "(tcp[%d:2] = %d and src port %d) or ", i%40, i, 65535-i)
	}
	if _, err := bpfc.Compile(clauses.String()+"udp", bpfc.Ethernet, 0); !errors.As(err, new(*bpfc.LimitError)) {
		t.Fatalf("got %v, want a program that no socket takes", err)
	}
	for name, expr := range map[string]string{
		"for the socket": pairs.String(), "for any socket": clauses.String(),
	} {
		t.Run(name, func(t *testing.T) {
			file := temp(t, "long.pcapng")
			p := start(t, nil, "icap runs it", icap(t, "--netns", w.b.String(), "-i", "vb", "-s", "20", "-w", file, expr+"udp port 9"))
			w.send(t, 7, 64)
			w.sendTo(t, 10, 5)
			time.Sleep(10 * time.Millisecond)
			if code := p.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			for _, packets := range readPcapng(t, file).interfaces {
				if len(packets[0].data) != 20 || packets[0].size != 106 {
					t.Errorf("%d of %d bytes kept, want 20 of 106", len(packets[0].data), packets[0].size)
				}
			}
			if got := readPcapng(t, file).total; got != 7 || !strings.Contains(p.text(), "7 packets received by filter") {
				t.Errorf("%d packets, want 7\n%s", got, p.text()[max(0, len(p.text())-500):])
			}
		})
	}
}

// TestReaderGoesAway ends the capture with true counts.
func TestReaderGoesAway(t *testing.T) {
	w := newWire(t)
	cmd := icap(t, "--netns", w.b.String(), "-i", "vb", "-w", "-", "udp")
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = pw
	p := start(t, nil, listening, cmd)
	pw.Close()
	w.send(t, 10, 100)
	if _, err := io.ReadFull(bufio.NewReader(r), make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.send(t, 10, 100)
	if code := p.end(0); code != exitFault || !strings.Contains(p.text(), "broken pipe") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	// Of the packets behind the end, some may have come before it was noticed.
	counts := regexp.MustCompile(`10 packets captured\n(\d+) packets received by filter\n`).FindStringSubmatch(p.text())
	if counts == nil {
		t.Fatalf("counts are not told:\n%s", p.text())
	}
	received, err := strconv.Atoi(counts[1])
	if err != nil || received < 10 || received > 20 || received > 10 != strings.Contains(p.text(), fmt.Sprint(received-10, " not written")) {
		t.Errorf("%d received:\n%s", received, p.text())
	}
}

// TestReaderStopsReading cannot keep icap from ending.
func TestReaderStopsReading(t *testing.T) {
	t.Parallel()
	t.Run("signal", func(t *testing.T) { stoppedReader(t, syscall.SIGTERM) })
	t.Run("duration", func(t *testing.T) { stoppedReader(t, 0, "--duration", "500ms") })
}

func stoppedReader(t *testing.T, sig syscall.Signal, args ...string) {
	const n = 3000
	w := newWire(t)
	cmd := icap(t, append(args, "--netns", w.b.String(), "-i", "vb", "-w", "-", "udp")...)
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = pw
	p := start(t, nil, listening, cmd)
	pw.Close()
	w.send(t, n, 1000)
	time.Sleep(300 * time.Millisecond)
	begin := time.Now()
	if code := p.end(sig); code != exitFault || time.Since(begin) > 3*time.Second {
		t.Errorf("exit code %d after %v\n%s", code, time.Since(begin), p.text())
	}
	text := p.text()
	captured, received, lost := number(text, "packets captured"), number(text, "packets received by filter"), number(text, "not written")
	if received != n || captured == 0 || captured+lost != n {
		t.Errorf("%d captured, %d not written of %d received\n%s", captured, lost, received, text)
	}
}

// number is the one that stands before some words.
func number(text, words string) (n int) {
	if m := regexp.MustCompile(`(\d+) ` + words).FindStringSubmatch(text); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return n
}

// tmpfs mounts a file system of a size.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	labtest.Need(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestDiskFull(t *testing.T) {
	w := newWire(t)
	file := filepath.Join(tmpfs(t, "1m"), "full.pcapng")
	p := w.capture(t, "-w", file)
	w.send(t, 4000, 1000)
	if code := p.end(0); code != exitFault || !strings.Contains(p.text(), file) || !strings.Contains(p.text(), "no space left") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	got := readPcapng(t, file).total
	if got < 900 || !strings.Contains(p.text(), fmt.Sprintf("%d packets captured\n", got)) {
		t.Errorf("%d packets in the file:\n%s", got, p.text())
	}
	if n := strings.Count(output(t, "tshark", "-r", file), "\n"); n != got {
		t.Errorf("tshark reads %d of %d", n, got)
	}
}

// TestRefusals are faults that end icap before anything is changed: one line,
// the right code, no file.
func TestRefusals(t *testing.T) {
	w := newWire(t)
	ns := w.b.String()
	dir := t.TempDir()
	exists := filepath.Join(dir, "exists.pcapng")
	if err := os.WriteFile(exists, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.pcapng")
	if err := os.Symlink(exists, link); err != nil {
		t.Fatal(err)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(tmpfs(t, "4k,nr_inodes=2"), "header.pcapng")
	if err := os.WriteFile(full+".ballast", make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown interface", []string{"--netns", ns, "-i", "nope0"}, exitFailed, `"lo", "vb"`},
		{"filter", []string{"--netns", ns, "-i", "vb", "tcp", "prot", "80"}, exitUsage, "tcp prot 80\n    ^~~~"},
		{"no such process", []string{"--pid", fmt.Sprint(gone.Process.Pid), "-i", "lo"}, exitFailed, "process"},
		{"no such namespace", []string{"--netns", "icap-no-such", "-i", "lo"}, exitFailed, "icap-no-such"},
		{"not a namespace", []string{"--netns", exists, "-i", "lo"}, exitFailed, "not a network namespace"},
		{"no such pod", []string{"pod", "shop/no-such-pod"}, exitFailed, "no-such-pod"},
		{"output exists", []string{"--netns", ns, "-i", "vb", "-w", exists}, exitFailed, "--force"},
		{"output is a link", []string{"--netns", ns, "-i", "vb", "--force", "-w", link}, exitFailed, link},
		{"output directory missing", []string{"--netns", ns, "-i", "vb", "-w", dir + "/no/x.pcapng"}, exitFailed, dir + "/no/x.pcapng"},
		{"output is a directory", []string{"--netns", ns, "-i", "vb", "-w", dir}, exitFailed, dir},
		{"disk full", []string{"--netns", ns, "-i", "vb", "-w", full}, exitFailed, "no space left"},
		{"no interface chosen", []string{"--netns", ns, "-i", "lo,vb,nope"}, exitFailed, "nope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := icap(t, tt.args...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			_ = cmd.Run() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.want, stderr.String())
			}
			if strings.Contains(stderr.String(), listening) {
				t.Errorf("captured before it refused:\n%s", stderr.String())
			}
		})
	}
	if b, err := os.ReadFile(exists); err != nil || string(b) != "precious" {
		t.Errorf("the existing file has %q, %v", b, err)
	}
	if _, err := os.Stat(full); err == nil {
		t.Error("a file was left on the full disk")
	}
}

// TestMissingCapabilities names the one that lacks, with the code for it.
// TestRulesNotReadable captures a pod with the two capabilities that this
// takes. The proxy's ports are then those that it listens on, and icap says so.
func TestRulesNotReadable(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	cmd := icap(t, "pod", "netns:"+l.App.Netns, "--duration", "200ms")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_SYS_ADMIN},
	}
	readable(t, cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"CAP_NET_ADMIN", "taken from the listening ports", "outbound to port 15001", "inbound to port 15006", "app on port 8080"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// readable copies the program to where any user may run it.
func readable(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	dir, err := os.MkdirTemp("", "icap-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = filepath.Join(dir, "icap")
	if err := os.WriteFile(cmd.Path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestNamedPipe waits for a reader, and can be stopped while it waits.
func TestNamedPipe(t *testing.T) {
	w := newWire(t)
	fifo := temp(t, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "waiting for a reader", icap(t, "--netns", w.b.String(), "-i", "vb", "-w", fifo, "udp"))
	begin := time.Now()
	if code := p.end(syscall.SIGTERM); code != exitFailed || time.Since(begin) > 2*time.Second {
		t.Errorf("exit code %d after %v\n%s", code, time.Since(begin), p.text())
	}
}

// TestTwoSignalsAtOnce is what timeout(1) does: the second of them must not cut
// the orderly end short.
func TestTwoSignalsAtOnce(t *testing.T) {
	const n = 500
	w := newWire(t)
	file := temp(t, "signals.pcapng")
	p := w.capture(t, "-w", file)
	w.send(t, n, 200)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if got := readPcapng(t, file).total; got != n {
		t.Errorf("%d of %d in the file\n%s", got, n, p.text())
	}
}
