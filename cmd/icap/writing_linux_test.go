package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/direct"
	"icap/internal/lab/labtest"
)

// onDisk is a name for a file on a file system that takes O_DIRECT.
func onDisk(t *testing.T, name string) string {
	t.Helper()
	path := temp(t, name)
	if err := direct.Probe(path); err != nil || direct.InMemory(path) {
		labtest.Skip(t, fmt.Sprintf("needs a disk with O_DIRECT at TMPDIR: %v", err))
	}
	return path
}

// TestWriting says how an output is written, and why.
func TestWriting(t *testing.T) {
	w := newWire(t)
	mem := filepath.Join(tmpfs(t, "8m"), "out.pcapng")
	for _, test := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"file", onDisk(t, "a"), nil, "writing is direct,"},
		{"forced", onDisk(t, "b"), []string{"--write", "direct", "-i", "lo", "--live"}, "writing is direct,"},
		{"copy", onDisk(t, "c"), []string{"--write", "copy"}, "writing is copied: as --write says"},
		{"two interfaces", onDisk(t, "d"), []string{"-i", "lo"}, "writing is copied: the packets of several interfaces"},
		{"print", onDisk(t, "p"), []string{"--print"}, "writing is copied: the packets are printed, too"},
		{"rotated", onDisk(t, "r"), []string{"-C", "100"}, "writing is copied: the files are rotated"},
		{"bounded", onDisk(t, "m"), []string{"--max-bytes", "1g"}, "writing is copied: --max-bytes counts"},
		{"live", onDisk(t, "e"), []string{"--live"}, "writing is copied: --live"},
		{"memory", mem, nil, "writing is copied: the file is in memory"},
		{"fanout", onDisk(t, "f"), []string{"--fanout", "2"}, "writing is direct,"},
		{"split", onDisk(t, "g"), []string{"--fanout", "2", "--split"}, "writing is direct,"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := w.capture(t, append([]string{"-w", test.file}, test.args...)...)
			w.send(t, 100, 300)
			if code := p.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			for _, want := range []string{test.want, "100 packets captured\n"} {
				if !strings.Contains(p.text(), want) {
					t.Errorf("no %q in\n%s", want, p.text())
				}
			}
			if test.name == "split" {
				return
			}
			if got := readPcapng(t, test.file).total; got != 100 {
				t.Errorf("%d packets in the file", got)
			}
			comment := output(t, "capinfos", test.file)
			if unsorted := test.name == "fanout" || test.name == "forced"; unsorted != strings.Contains(comment, "those of the file are not") {
				t.Errorf("the order is told wrongly:\n%s", comment)
			}
		})
	}
}

// TestDirectRefused says why, before anything is changed.
func TestDirectRefused(t *testing.T) {
	w := newWire(t)
	pipe := temp(t, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "packets are printed"},
		{[]string{"-w", "-"}, "standard output"},
		{[]string{"-w", pipe}, "neither a regular file"},
		{[]string{"-w", filepath.Join(pipe, "x")}, "not a directory"},
		{[]string{"-w", "/proc/self/x.pcapng"}, "/proc/self"},
	} {
		cmd := icap(t, append([]string{"--netns", w.b.String(), "-i", "vb", "--write", "direct"}, test.args...)...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(string(out), "--write direct is not possible: ") ||
			!strings.Contains(string(out), test.want) {
			t.Errorf("%q: exit code %d\n%s", test.args, code, out)
		}
	}
}

// TestDirectKilled leaves a file that is whole up to the last block, or, of
// several rings, up to the place where one of them was still writing.
func TestDirectKilled(t *testing.T) {
	for _, args := range [][]string{nil, {"--fanout", "3", "--fanout-mode", "lb"}} {
		w := newWire(t)
		file := onDisk(t, "killed.pcapng")
		p := w.capture(t, append([]string{"-w", file, "--block-timeout", "5ms", "--write", "direct"}, args...)...)
		for range 20 {
			w.send(t, 200, 700)
			time.Sleep(10 * time.Millisecond)
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.Wait()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		packets := 0
		for len(b) > 0 {
			total := int(binary.LittleEndian.Uint32(b[4:]))
			if total == 0 && args != nil {
				break
			}
			if total < 12 || total > len(b) {
				t.Fatalf("torn ahead of the last %d bytes", len(b))
			}
			if binary.LittleEndian.Uint32(b) == 6 {
				packets++
			}
			b = b[total:]
		}
		if packets < 200 || len(b) > 2*3*4<<20 {
			t.Errorf("%d packets ahead of the last %d bytes", packets, len(b))
		}
	}
}

// TestFileSizeLimit ends a direct capture as a full disk does, with a limit
// that is inside a page.
func TestFileSizeLimit(t *testing.T) {
	for _, size := range []int{20, 1200} {
		w := newWire(t)
		file := onDisk(t, "limit.pcapng")
		p := w.capture(t, "-w", file, "--write", "direct")
		limit := unix.Rlimit{Cur: 300_001, Max: 300_001}
		if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		w.send(t, 400_000/size, size)
		if code := p.end(0); code != exitFault || !strings.Contains(p.text(), "file too large") {
			t.Errorf("exit code %d\n%s", code, p.text())
		}
		got := readPcapng(t, file).total
		if !strings.Contains(p.text(), fmt.Sprintf("%d packets captured\n", got)) || got < 200 {
			t.Errorf("%d packets in the file:\n%s", got, p.text())
		}
		if n := strings.Count(output(t, "tshark", "-r", file), "\n"); n != got {
			t.Errorf("tshark reads %d of %d", n, got)
		}
	}
}
