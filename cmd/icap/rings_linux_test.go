package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
)

// TestFanout has three rings share the packets, of one file in time order: it is
// copied.
func TestFanout(t *testing.T) {
	const n = 2000
	w := newWire(t)
	file := temp(t, "fanout.pcapng")
	p := w.capture(t, "-w", file, "--write", "copy", "--fanout", "3", "--fanout-mode", "lb", "--cpu", "0", "--block-size", "512k", "--blocks", "4")
	w.send(t, n, 200)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if !strings.Contains(p.text(), "3 rings by lb, each 4 x 512 KiB") {
		t.Errorf("the rings are not told in\n%s", p.text())
	}
	if !strings.Contains(p.text(), fmt.Sprintf("\n%d packets received by filter\n", n)) {
		t.Errorf("no %d packets in\n%s", n, p.text())
	}
	got := readPcapng(t, file)
	if got.total != n || len(got.interfaces) != 1 {
		t.Errorf("%d packets on %d interfaces, want %d on 1", got.total, len(got.interfaces), n)
	}
	for i := 1; i < len(got.times); i++ {
		if got.times[i].Before(got.times[i-1]) {
			t.Fatalf("packet %d is older than the one before", i)
		}
	}
}

// TestSplit writes a file for each ring, each with a part of the packets.
func TestSplit(t *testing.T) {
	const n = 2000
	w := newWire(t)
	file := temp(t, "split.pcapng")
	p := w.capture(t, "-w", file, "--fanout", "3", "--fanout-mode", "lb", "--split", "--cpu", "0-1")
	w.send(t, n, 200)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	total := 0
	for i := range 3 {
		part := readPcapng(t, strings.Replace(file, ".pcapng", fmt.Sprintf(".%d.pcapng", i), 1)).total
		if part == 0 {
			t.Errorf("nothing in file %d", i)
		}
		total += part
	}
	if total != n || !strings.Contains(p.text(), fmt.Sprintf("%d packets captured\n", n)) {
		t.Errorf("%d of %d packets in the files\n%s", total, n, p.text())
	}
	if files, err := filepath.Glob(filepath.Dir(file) + "/*"); err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
}

// TestSplitRefusals leaves no file behind.
func TestSplitRefusals(t *testing.T) {
	w := newWire(t)
	file := temp(t, "split.pcapng")
	second := strings.Replace(file, ".pcapng", ".1.pcapng", 1)
	if err := os.WriteFile(second, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--netns", w.b.String(), "-w", file, "--fanout", "2", "--split"}, "split.1.pcapng: file already exists"},
		{[]string{"pod", "netns:" + w.b.String(), "-w", file, "--fanout", "2", "--force", "--split"}, "told apart by one worker"},
	} {
		out, err := icap(t, test.args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%v: no %q in %v\n%s", test.args, test.want, err, out)
		}
	}
	if files, err := filepath.Glob(filepath.Dir(file) + "/*"); err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

// TestCountsByJSON reads what is told at the end and by signal.
func TestCountsByJSON(t *testing.T) {
	w := newWire(t)
	p := w.capture(t, "-w", temp(t, "json.pcapng"), "--live", "--stats-json")
	var last counts
	tell := func(sent uint64, lines int) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			_, text, _ := strings.Cut(p.text(), "{")
			told := strings.Split(strings.TrimSpace("{"+text), "\n")
			if text != "" && len(told) >= lines {
				var now counts
				if err := json.Unmarshal([]byte(told[lines-1]), &now); err != nil {
					t.Fatalf("%q: %v", told[lines-1], err)
				}
				if now.Received != sent || len(now.Sources) != 1 || now.Sources[0].Received != sent ||
					now.Captured < last.Captured || now.Bytes < last.Bytes || now.Seconds < last.Seconds {
					t.Errorf("after %d packets: %+v, before it %+v", sent, now, last)
				}
				last = now
				return
			}
			if time.Now().After(end) {
				t.Fatalf("nothing told:\n%s", p.text())
			}
		}
	}
	for i := range 3 {
		w.send(t, 10, 100)
		if err := p.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		tell(uint64(10*(i+1)), i+1)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if last.Final {
		t.Errorf("%+v is final while the capture runs", last)
	}
	text := strings.TrimSpace(p.text())
	if err := json.Unmarshal([]byte(text[strings.LastIndex(text, "\n")+1:]), &last); err != nil || !last.Final || last.Captured != 30 {
		t.Errorf("at the end %+v, %v\n%s", last, err, text)
	}
}

// terminal opens a pair of pseudo-terminals, see pts(4).
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// screen waits for words on a terminal.
func screen(t *testing.T, ours *os.File) (await func(want string)) {
	var shown strings.Builder
	return func(want string) {
		t.Helper()
		for buf := make([]byte, 4096); !strings.Contains(shown.String(), want); {
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatalf("no %q on the terminal: %v\n%q", want, err, shown.String())
			}
			shown.Write(buf[:n])
		}
	}
}

// TestProgress looks at a terminal until it shows the packets.
func TestProgress(t *testing.T) {
	w := newWire(t)
	ours, theirs := terminal(t)
	cmd := icap(t, "--netns", w.b.String(), "-i", "vb", "-w", temp(t, "progress.pcapng"), "--live", "udp")
	cmd.Stderr = theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	stuck := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	await := screen(t, ours)
	await(listening)
	await("filter: udp")
	w.send(t, 25, 100)
	await(clearLine + "25 packets, ")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await("25 packets captured")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestSplitGoesOn has the second of three workers fail. The others go on and
// get its packets, and what it had received and not written is told.
func TestSplitGoesOn(t *testing.T) {
	const n = 300
	truncate := func(file string) error { return os.Truncate(file, 0) }
	for _, test := range []struct {
		name, way string
		harm      func(file string) error
		want      string
	}{
		{"copied", "copy", truncate, "truncated"},
		{"direct", "direct", truncate, "truncated"},
		{"removed", "copy", os.Remove, "removed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWire(t)
			file := temp(t, "split.pcapng")
			part := func(i int) string { return strings.Replace(file, ".pcapng", fmt.Sprintf(".%d.pcapng", i), 1) }
			p := w.capture(t, "-w", file, "--fanout", "3", "--fanout-mode", "lb", "--split", "--write", test.way)
			if err := test.harm(part(1)); err != nil {
				t.Fatal(err)
			}
			w.send(t, n, 200)
			awaitText(t, p, "the other workers go on")
			w.send(t, n, 200)
			if err := p.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			awaitText(t, p, fmt.Sprint(2*n, " received"))
			if code := p.end(syscall.SIGTERM); code != exitFault || !strings.Contains(p.text(), test.want) {
				t.Errorf("exit code %d, want %d and %q\n%s", code, exitFault, test.want, p.text())
			}
			// The worker fails at the first packets that it takes from its ring,
			// with a third of the first burst at most.
			got := readPcapng(t, part(0)).total + readPcapng(t, part(2)).total
			if got < 2*n-n/3 || got == 2*n {
				t.Errorf("the others have %d packets, want %d or a few more\n%s", got, 2*n-n/3, p.text())
			}
			for _, want := range []string{
				fmt.Sprintf("%d packets captured\n%d packets received by filter\n0 packets dropped", got, 2*n),
				fmt.Sprintf(", %d not written", 2*n-got),
			} {
				if !strings.Contains(p.text(), want) {
					t.Errorf("no %q in\n%s", want, p.text())
				}
			}
		})
	}
}

// TestSplitCountsAll has a worker fail that captures on two interfaces, in the
// middle of a load. Every packet is in a file, or told.
func TestSplitCountsAll(t *testing.T) {
	const n = 60000
	for _, way := range []string{"copy", "direct"} {
		t.Run(way, func(t *testing.T) {
			w := newWire(t)
			file := temp(t, "split.pcapng")
			p := start(t, nil, listening+" vb", icap(t, "--netns", w.b.String(), "-i", "lo,vb", "-B", "64m", "-w", file,
				"--fanout", "2", "--fanout-mode", "lb", "--split", "--write", way, "udp"))
			sent := make(chan int)
			go func() {
				all, _ := lab.SendUDP(w.a, w.to, n, 100) // those that were not sent are missing below
				sent <- all
			}()
			part := strings.Replace(file, ".pcapng", ".1.pcapng", 1)
			await(t, "packets in the file", func() bool { return sizeOf(part) > 1<<16 })
			if err := os.Truncate(part, 0); err != nil {
				t.Fatal(err)
			}
			awaitText(t, p, "the other workers go on")
			if all := <-sent; all != n {
				t.Fatalf("sent %d of %d", all, n)
			}
			if code := p.end(syscall.SIGTERM); code != exitFault || !strings.Contains(p.text(), fmt.Sprintf("\n%d packets received by filter\n0 packets dropped", n)) {
				t.Errorf("exit code %d, not %d received\n%s", code, n, p.text())
			}
		})
	}
}

// awaitText waits until a program has said something.
func awaitText(t *testing.T, p *proc, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(p.text(), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", want, p.text())
		}
	}
}
