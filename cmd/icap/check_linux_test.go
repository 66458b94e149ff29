package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/pcapwriter"
)

// capture makes a file of n packets.
func (w wire) file(t *testing.T, n int, args ...string) string {
	t.Helper()
	file := temp(t, "web.pcapng")
	p := w.capture(t, append(args, "-w", file)...)
	w.send(t, n, 200)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	return file
}

// said runs icap and returns its exit code, and all that it says.
func said(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	cmd := icap(t, args...)
	out, _ := cmd.CombinedOutput() // the code tells
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestCheck(t *testing.T) {
	w := newWire(t)
	whole := w.file(t, 100)
	image, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(tmpfs(t, "1m"), "full.pcapng")
	p := w.capture(t, "-w", full)
	w.send(t, 4000, 1000)
	p.end(0)
	limit := temp(t, "count.pcapng")
	p = w.capture(t, "-w", limit, "-c", "10")
	w.send(t, 30, 100)
	p.end(0)
	made := func(name string, b []byte) string {
		path := filepath.Join(filepath.Dir(whole), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	soFar := pcapwriter.AppendStatistics(bytes.Clone(image[:len(image)-statisticsLen(t, image)]),
		&pcapwriter.Statistics{Start: 1, Received: 100, Accepted: 100, Delivered: 100})
	for _, tt := range []struct {
		name, path string
		code       int
		want       string
	}{
		{"whole", whole, exitDone, "complete, 100 packets"},
		{"two sections", made("two", append(bytes.Clone(image), image...)), exitDone, "complete, 200 packets"},
		{"torn", made("torn", image[:len(image)-10]), exitFailed, "ends in the middle of the block"},
		{"second section torn", made("two-torn", append(bytes.Clone(image), image[:len(image)-10]...)), exitFailed, "section 2, vb@"},
		{"zeros", made("zeros", append(bytes.Clone(image), make([]byte, 4096)...)), exitFailed, "icap repair"},
		{"disk full", full, exitFailed, "received, and not written"},
		{"count", limit, exitFailed, "received, and not written"},
		{"a packet taken out", made("less", without(t, image)), exitFailed, "99 packets in the file, and the statistics say 100"},
		{"killed", made("killed", image[:len(image)-statisticsLen(t, image)]), exitFailed, "did not end in order"},
		{"killed behind statistics so far", made("so-far", soFar), exitFailed, "ended without its last statistics"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if code, text := said(t, "check", tt.path); code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.want, text)
			}
		})
	}
}

// TestCheckTornBehindBlocks cuts files at the end of every block, as a kill
// between two writes does. Only the whole file is complete, though there are
// statistics all over it, and every part is read without a word.
func TestCheckTornBehindBlocks(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	direct, two := temp(t, "direct.pcapng"), temp(t, "two.pcapng")
	p := w.capture(t, "--write", "direct", "--live", "-w", direct)
	for n := int64(0); n < 3; n++ {
		before := sizeOf(direct)
		w.send(t, 10, 200)
		await(t, "packets in the file", func() bool { return sizeOf(direct) > before })
	}
	p.end(syscall.SIGTERM)
	p = start(t, nil, listening+" lo", icap(t, "--netns", w.b.String(), "-i", "vb,lo", "-w", two, "udp"))
	w.send(t, 30, 200)
	p.end(syscall.SIGTERM)
	for name, file := range map[string]string{
		"direct": direct, "copied": w.file(t, 30, "--write", "copy"), "two interfaces": two,
	} {
		t.Run(name, func(t *testing.T) {
			image, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			torn, statistics := temp(t, "torn.pcapng"), 0
			for at := 0; at < len(image); {
				n, typ := blockAt(image[at:])
				if at += n; typ != capfile.TypePacket && typ != capfile.TypeStatistics && at < len(image) {
					continue
				}
				if err := os.WriteFile(torn, image[:at], 0o600); err != nil {
					t.Fatal(err)
				}
				reasons, has, err := checkFile(torn)
				if whole := at == len(image); err != nil || (len(reasons) == 0) != whole {
					t.Errorf("%d of %d bytes, with %s: %q, %v", at, len(image), has, reasons, err)
				}
				if typ == capfile.TypeStatistics {
					statistics++
					uncomplained(t, torn)
				}
			}
			if want := map[string]int{"direct": 3, "copied": 1, "two interfaces": 2}[name]; statistics < want {
				t.Errorf("%d blocks of statistics, want %d or more", statistics, want)
			}
		})
	}
}

// sizeOf is how many bytes a file has, 0 if it is not there.
func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}

// uncomplained has other programs read a file, without a word of complaint.
func uncomplained(t *testing.T, file string) {
	t.Helper()
	for _, words := range [][]string{{"tshark", "-r", file}, {"capinfos", file}} {
		var complaint strings.Builder
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stderr = &complaint
		if err := cmd.Run(); err != nil || strings.Contains(complaint.String(), file) {
			t.Errorf("%q: %v, %s", words, err, complaint.String())
		}
	}
}

// blockAt returns the length of the block at a place, and its type.
func blockAt(b []byte) (n int, typ byte) {
	return int(b[4]) | int(b[5])<<8 | int(b[6])<<16, b[0]
}

// without takes the first packet out of a file.
func without(t *testing.T, b []byte) []byte {
	t.Helper()
	for at := 0; at < len(b); {
		n, typ := blockAt(b[at:])
		if typ == 6 {
			return append(bytes.Clone(b[:at]), b[at+n:]...)
		}
		at += n
	}
	t.Fatal("no packet")
	return nil
}

// statisticsLen is the length of the block that a file ends with.
func statisticsLen(t *testing.T, b []byte) (n int) {
	t.Helper()
	for at := 0; at < len(b); at += n {
		n, _ = blockAt(b[at:])
	}
	return n
}

// TestCheckPod: legs that are left out are not lost, for they were not asked
// for.
func TestCheckPod(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	for _, args := range [][]string{nil, {"--leg", "inbound-app,outbound-wire"}} {
		file := temp(t, "pod.pcapng")
		p := start(t, nil, "eth0@", icap(t, append([]string{"pod", "netns:" + l.App.Netns, "-w", file}, args...)...))
		askAll(t, l)
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		if code, text := said(t, "check", file); code != exitDone {
			t.Errorf("%q: exit code %d\n%s\n%s", args, code, text, p.text())
		}
	}
}

// TestCheckOthers: what dumpcap counts is enough, and pcap tells nothing.
func TestCheckOthers(t *testing.T) {
	w := newWire(t)
	file := temp(t, "other.pcap")
	p := tcpdump(t, w.b, file, "-i", "vb", "udp")
	p.end(syscall.SIGINT)
	if code, text := said(t, "check", file); code != exitFailed || !strings.Contains(text, "pcap has no statistics") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	if _, err := exec.LookPath("dumpcap"); err != nil {
		labtest.Skip(t, "needs dumpcap")
	}
	file = temp(t, "other.pcapng")
	p = start(t, w.b, "File: ", exec.Command("dumpcap", "-q", "-c", "20", "-i", "vb", "-f", "udp", "-w", file))
	time.Sleep(100 * time.Millisecond) // it says so a little early
	w.send(t, 20, 100)
	p.end(0)
	if code, text := said(t, "check", file); code != exitDone || !strings.Contains(text, "complete, 20 packets") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}

func TestRepair(t *testing.T) {
	w := newWire(t)
	whole := w.file(t, 50)
	image, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(image)
	damaged[len(damaged)/2] ^= 0xff
	for i := len(damaged) / 2; i < len(damaged)/2+600; i++ {
		damaged[i] = 0xff
	}
	for _, tt := range []struct {
		name    string
		content []byte
		code    int
		want    string
		left    int // packets
	}{
		{"whole", image, exitDone, "is whole, with 50 packets", 50},
		{"torn statistics", image[:len(image)-10], exitDone, "cutting off", 50},
		{"torn packet", image[:len(image)/2+1], exitDone, "cutting off", -1},
		{"zeros", append(bytes.Clone(image), make([]byte, 4096)...), exitDone, "4096 bytes of zeros", 50},
		{"damaged", damaged, exitFailed, "more than a torn end", -2},
		{"no header", image[:20], exitFailed, "not even the header", -2},
		{"no capture", []byte("precious text"), exitFailed, "neither pcapng nor pcap", -2},
		{"empty", nil, exitFailed, "the file is empty", -2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := temp(t, "torn.pcapng")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			copied := path + ".copy"
			copyCode, _ := said(t, "repair", path, "-w", copied)
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, tt.content) {
				t.Fatalf("-w changed the file: %v", err)
			}
			code, text := said(t, "repair", path)
			if code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.want, text)
			}
			now, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if tt.left == -2 {
				if !bytes.Equal(now, tt.content) {
					t.Error("the file was changed all the same")
				}
				return
			}
			other, err := os.ReadFile(copied)
			if copyCode != exitDone || err != nil || !bytes.Equal(now, other) || !bytes.HasPrefix(image, now) {
				t.Errorf("the copy (exit code %d, %v) has %d bytes, the file %d", copyCode, err, len(other), len(now))
			}
			rows := strings.Count(output(t, "tshark", "-r", path), "\n")
			if tt.left >= 0 && rows != tt.left || rows == 0 {
				t.Errorf("tshark reads %d packets, want %d", rows, tt.left)
			}
		})
	}
}

// TestRepairInUse leaves the file of a running capture alone.
func TestRepairInUse(t *testing.T) {
	w := newWire(t)
	file := temp(t, "live.pcapng")
	p := w.capture(t, "-w", file)
	if code, text := said(t, "repair", file); code != exitFailed || !strings.Contains(text, "another capture is writing") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	p.end(syscall.SIGTERM)
}

// TestKilled: what was sent a second before SIGKILL is in the file, and behind
// it at most one block is torn.
func TestKilled(t *testing.T) {
	w := newWire(t)
	for _, before := range []int{500, 4000} {
		file := temp(t, "killed.pcapng")
		p := w.capture(t, "-w", file)
		w.send(t, before, 1000)
		time.Sleep(time.Second)
		stop := make(chan struct{})
		sent := make(chan int)
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					sent <- n
					return
				default:
				}
				more, _ := lab.SendUDP(w.a, w.to, 50, 1000) // those count that were sent
				n += more
			}
		}()
		time.Sleep(200 * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait() // it was killed
		close(stop)
		n := <-sent
		if code, text := said(t, "check", file); code != exitFailed || !strings.Contains(text, "did not end in order") {
			t.Errorf("check: exit code %d\n%s", code, text)
		}
		code, text := said(t, "repair", file)
		if code != exitDone {
			t.Errorf("repair: exit code %d\n%s", code, text)
		}
		rows := strings.Count(output(t, "tshark", "-r", file), "\n")
		if rows < before || rows > before+n || !strings.Contains(text, fmt.Sprintf("%d packets", rows)) {
			t.Errorf("%d packets in the file, %d sent a second before the end and %d in it\n%s", rows, before, n, text)
		}
	}
}
