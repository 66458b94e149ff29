package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab/labtest"
)

// members are the files in a directory, in order of their names.
func members(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFileNamesAreTcpdumps lets both capture the same packets.
func TestFileNamesAreTcpdumps(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	const n, size = 6000, 1000
	for _, args := range [][]string{
		{"-C", "1"},
		{"-C", "1", "-W", "3"},
		{"-C", "1", "-W", "11"},
		{"-C", "1", "-W", "1"},
		{"-C", "1", "-G", "3600", "-w", "%Y.pcap"},
		{"-C", "1", "-W", "101", "-G", "3600", "-w", "%Y.pcap"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			w := newWire(t)
			ours, theirs := t.TempDir(), t.TempDir()
			if !slices.Contains(args, "-w") {
				args = append(args, "-w", "x.pcap")
			}
			cmd := icap(t, append(args, "--netns", w.b.String(), "-i", "vb", "--force", "udp")...)
			cmd.Dir = ours
			p := start(t, nil, listening, cmd)
			peer := exec.Command("tcpdump", append(args, "-i", "vb", "-Z", "root", "-B", "65536", "udp")...)
			peer.Dir = theirs
			q := start(t, w.b, "listening on", peer)
			w.send(t, n, size)
			if code := p.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			q.end(syscall.SIGTERM)
			got, want := members(t, ours), members(t, theirs)
			if !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("files %q, tcpdump's are %q", got, want)
			}
		})
	}
}

// TestRingOfFiles keeps the last whole files: every packet of them once, and
// each file with all that a reader needs.
func TestRingOfFiles(t *testing.T) {
	const n, size = 9000, 1000
	w := newWire(t)
	dir := t.TempDir()
	p := w.capture(t, "-C", "1", "-W", "4", "-w", filepath.Join(dir, "ring"))
	w.send(t, n, size)
	if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), fmt.Sprintf("%d packets captured\n", n)) {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	var all []*pcapng
	for _, name := range members(t, dir) {
		path := filepath.Join(dir, name)
		f := readPcapng(t, path)
		all = append(all, f)
		if rows := strings.Count(output(t, "tshark", "-r", path), "\n"); rows != f.total {
			t.Errorf("%s: tshark reads %d of %d", name, rows, f.total)
		}
	}
	if len(all) != 4 {
		t.Fatalf("%d files", len(all))
	}
	slices.SortFunc(all, func(a, b *pcapng) int { return a.times[0].Compare(b.times[0]) })
	var payloads []string
	for _, f := range all {
		for _, packets := range f.interfaces {
			for _, packet := range packets {
				payloads = append(payloads, packet.data[14+20+8:])
			}
		}
	}
	numbered(t, payloads, n)
}

// TestFilesWithoutLoss writes many files at the full rate of the sender.
func TestFilesWithoutLoss(t *testing.T) {
	const n = 20000
	w := newWire(t)
	dir := t.TempDir()
	p := w.capture(t, "-C", "100k", "-w", filepath.Join(dir, "x"))
	w.send(t, n, 100)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	names := members(t, dir)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	var payloads []string
	for _, name := range names {
		for _, packets := range readPcapng(t, filepath.Join(dir, name)).interfaces {
			for _, packet := range packets {
				payloads = append(payloads, packet.data[14+20+8:])
			}
		}
	}
	if len(payloads) != n || len(names) < 20 {
		t.Errorf("%d of %d packets in %d files\n%s", len(payloads), n, len(names), p.text())
	}
	numbered(t, payloads, n)
}

// TestHangUp begins new files by SIGHUP, with and without packets.
func TestHangUp(t *testing.T) {
	w := newWire(t)
	dir := t.TempDir()
	p := w.capture(t, "-C", "1g", "--hup", "rotate", "-w", filepath.Join(dir, "x"))
	hang := func(files int) {
		t.Helper()
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await(t, "the next file", func() bool { return len(members(t, dir)) == files })
	}
	w.send(t, 100, 100)
	await(t, "the packets", func() bool {
		st, err := os.Stat(filepath.Join(dir, "x"))
		return err == nil && st.Size() > 100*100
	})
	hang(2)
	hang(3)
	w.send(t, 50, 100)
	if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), "150 packets captured\n150 packets received") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	for name, want := range map[string]int{"x": 100, "x1": 0, "x2": 50} {
		file := filepath.Join(dir, name)
		if got := readPcapng(t, file).total; got != want {
			t.Errorf("%s has %d packets, want %d", name, got, want)
		}
		if code, text := said(t, "check", file); code != exitDone {
			t.Errorf("check %s: exit code %d\n%s", name, code, text)
		}
	}
}

// TestIntervalsEnd ends a capture after so many intervals, traffic or not.
func TestIntervalsEnd(t *testing.T) {
	w := newWire(t)
	dir := t.TempDir()
	p := w.capture(t, "-G", "1", "-W", "1", "-w", filepath.Join(dir, "%Y%m%d-%H%M%S.pcapng"))
	w.send(t, 10, 100)
	if code := p.end(0); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	names := members(t, dir)
	if len(names) != 1 || strings.Contains(names[0], "%") || readPcapng(t, filepath.Join(dir, names[0])).total != 10 {
		t.Errorf("files %q\n%s", names, p.text())
	}
}

// TestRotationFails ends the capture with what was written whole.
func TestRotationFails(t *testing.T) {
	for _, tt := range []struct{ name, size, want string }{
		{"no inode", "64m,nr_inodes=3", "no space left"},
		{"disk full", "2500k", "no space left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t)
			dir := tmpfs(t, tt.size)
			p := w.capture(t, "-C", "1", "-w", filepath.Join(dir, "x"))
			w.send(t, 9000, 1000)
			if code := p.end(0); code != exitFault || !strings.Contains(p.text(), tt.want) || !strings.Contains(p.text(), filepath.Join(dir, "x2")) {
				t.Errorf("exit code %d\n%s", code, p.text())
			}
			total := 0
			for _, name := range members(t, dir) {
				path := filepath.Join(dir, name)
				f := readPcapng(t, path)
				total += f.total
				if rows := strings.Count(output(t, "tshark", "-r", path), "\n"); rows != f.total {
					t.Errorf("%s: tshark reads %d of %d", name, rows, f.total)
				}
			}
			if total < 1800 || !strings.Contains(p.text(), fmt.Sprintf("%d packets captured\n", total)) {
				t.Errorf("%d packets in the files\n%s", total, p.text())
			}
		})
	}
}

// TestRotationRefusals are faults that end icap before anything is captured.
func TestRotationRefusals(t *testing.T) {
	w := newWire(t)
	dir := t.TempDir()
	for _, name := range []string{"exists", "ring3"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := members(t, dir)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"exists", []string{"-C", "1", "-w", "exists"}, exitFailed, "--force"},
		{"ring member exists", []string{"-C", "1", "-W", "5", "-w", "ring"}, exitFailed, "ring3"},
		{"directory missing", []string{"-C", "1", "-w", "no/x"}, exitFailed, "no"},
		{"named pipe", []string{"-C", "1", "-w", "pipe"}, exitUsage, "named pipe"},
		{"same names", []string{"-G", "10", "-w", "%H%M"}, exitUsage, "same name"},
		{"no time in the name", []string{"--interval", "10s", "-w", "x"}, exitUsage, "same name"},
		{"hangup without rotation", []string{"--hup", "rotate", "-w", "x"}, exitUsage, "--hup rotate needs"},
		{"hangup", []string{"--hup", "reload", "-w", "x"}, exitUsage, "not stop or rotate"},
		{"slash", []string{"-G", "86400", "-w", "%D"}, exitUsage, "not the name of a file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := icap(t, append(tt.args, "--netns", w.b.String(), "-i", "vb")...)
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.want) || strings.Contains(string(out), listening) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.want, out)
			}
		})
	}
	if after := members(t, dir); !slices.Equal(before, after) {
		t.Errorf("files %q, there were %q", after, before)
	}
}

// numbered checks that payloads of lab.SendUDP are without gap or double, up
// to the last of n.
func numbered(t *testing.T, payloads []string, n int) {
	t.Helper()
	for i, payload := range payloads {
		want := uint32(n - len(payloads) + i)
		if got := binary.BigEndian.Uint32([]byte(payload)); got != want {
			t.Fatalf("packet %d where %d is due", got, want)
		}
	}
}
