package pcapwriter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// writeUntilFault writes packets until one fails and some more, and checks
// that every call then returns the same error, and that nothing is uncounted.
func writeUntilFault(t *testing.T, w *Writer, want error) {
	t.Helper()
	p := Packet{Data: udpFrame(958)}
	var fault error
	calls := uint64(0)
	for ; fault == nil && calls < 100_000; calls++ {
		fault = w.WritePacket(&p)
	}
	var e *WriteError
	if !errors.As(fault, &e) || !errors.Is(fault, want) {
		t.Fatalf("fault is %v, want %v", fault, want)
	}
	if e.Path != w.out.f.Name() || !strings.Contains(e.Error(), e.Path) {
		t.Errorf("fault %q of %q does not name %q", e, e.Path, w.out.f.Name())
	}
	for range 3 {
		calls++
		if err := w.WritePacket(&p); err != fault {
			t.Errorf("WritePacket after the fault: %v", err)
		}
	}
	if err := w.Flush(); err != fault {
		t.Errorf("Flush after the fault: %v", err)
	}
	got := w.Stats()
	if got.Packets+got.Lost != calls || got.Lost < 4 {
		t.Errorf("stats %+v do not add up to %d", got, calls)
	}
	if w.Delivered(0) != got.Packets {
		t.Errorf("%d packets of the interface, stats are %+v", w.Delivered(0), got)
	}
}

// judgeFault checks a regular file after a fault.
func judgeFault(t *testing.T, f *os.File, w *Writer) {
	t.Helper()
	stats := w.Stats()
	if got := size(t, f); got != int64(stats.Bytes) {
		t.Errorf("the file has %d bytes, stats are %+v", got, stats)
	}
	judgeFile(t, f.Name(), stats.Packets)
}

// writeTailStatistics writes statistics after a fault and expects them in the
// file.
func writeTailStatistics(t *testing.T, f *os.File, w *Writer) {
	t.Helper()
	fault := w.Flush()
	stats := w.Stats()
	if err := w.WriteStatistics(&Statistics{Interface: 1, Received: 77}); err != fault {
		t.Errorf("WriteStatistics after the fault: %v", err)
	}
	if err := w.WriteStatistics(&Statistics{Interface: 2}); err != fault {
		t.Errorf("WriteStatistics of an unknown interface after the fault: %v", err)
	}
	judgeFault(t, f, w)
	if w.Stats().Bytes == stats.Bytes {
		t.Fatal("there was no room for statistics")
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	r, _ := gopacketRead(t, b)
	if i, err := r.Interface(1); err != nil || i.Statistics.PacketsReceived != 77 {
		t.Errorf("statistics are %+v, %v", i.Statistics, err)
	}
	if err := w.Close(); err != fault {
		t.Errorf("Close after the fault: %v", err)
	}
}

// TestDiskFull fills a small tmpfs in a mount namespace of its own.
func TestDiskFull(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	for i, batch := range []int{1, 10_000, 100_000, 0, 1, 10_000, 50_000, 0} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			path := filepath.Join(dir, "full.pcapng")
			f, err := Create(path, false)
			if err != nil {
				t.Fatal(err)
			}
			defer os.Remove(path)
			defer f.Close()
			w, err := NewWriter(f, testHeader(), Config{BatchSize: batch})
			if err != nil {
				t.Fatal(err)
			}
			if i >= 4 {
				w.behind = startBehind(w.out, 4, nil) // no disk, but a fault
			}
			writeUntilFault(t, w, syscall.ENOSPC)
			judgeFault(t, f, w)
			// 256 KiB have room for this many packets of 1032 bytes.
			if got := w.Stats().Packets; got != 253 {
				t.Errorf("%d packets written, want 253", got)
			}
			writeTailStatistics(t, f, w)
		})
	}
}

// TestDiskFullForHeader: not even the header fits, and nothing of it is left.
func TestDiskFullForHeader(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	f, err := Create(filepath.Join(dir, "full.pcapng"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := testHeader()
	h.Section.Comment = strings.Repeat("x", 20_000)
	_, err = NewWriter(f, h, Config{})
	var e *WriteError
	if !errors.As(err, &e) || !errors.Is(err, syscall.ENOSPC) || e.Torn || size(t, f) != 0 {
		t.Errorf("error is %v, %d bytes are left", err, size(t, f))
	}
}

// TestFileSizeLimit: without any care for signals, Go programs get EFBIG.
func TestFileSizeLimit(t *testing.T) {
	if !inChild(t, nil) {
		return
	}
	f, w := newWriter(t, Config{})
	limit := unix.Rlimit{Cur: 200_000, Max: 200_000}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	writeUntilFault(t, w, syscall.EFBIG)
	judgeFault(t, f, w)
	writeTailStatistics(t, f, w)
}

// TestTorn: a sealed memory file can neither grow nor be cut.
func TestTorn(t *testing.T) {
	fd, err := unix.MemfdCreate("sealed", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	require(t, err == nil, "memfd_create")
	f := os.NewFile(uintptr(fd), "sealed")
	defer f.Close()
	if err := f.Truncate(50_000); err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(f, testHeader(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK); err != nil {
		t.Fatal(err)
	}
	writeUntilFault(t, w, syscall.EPERM)
	var e *WriteError
	if err := w.Flush(); !errors.As(err, &e) || !e.Torn || !strings.Contains(e.Error(), "torn") {
		t.Errorf("error is %v", err)
	}
	// What was counted is there, up to the torn end.
	b := make([]byte, w.Stats().Bytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	if _, got := gopacketRead(t, b); uint64(len(got)) != w.Stats().Packets {
		t.Errorf("%d packets are in the file, stats are %+v", len(got), w.Stats())
	}
}

// TestBrokenPipe: the reader takes a little and goes away.
func TestBrokenPipe(t *testing.T) {
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	w, err := NewWriter(p, testHeader(), Config{BatchSize: 200_000})
	if err != nil {
		t.Fatal(err)
	}
	// Two pages beyond the header let the writer put more into the pipe.
	buf := make([]byte, int(w.Stats().Bytes)+8192)
	done := make(chan struct{})
	go func() {
		for n := 0; n < len(buf); {
			m, err := r.Read(buf[n:])
			if err != nil {
				break
			}
			n += m
		}
		r.Close()
		close(done)
	}()
	writeUntilFault(t, w, syscall.EPIPE)
	<-done
	var e *WriteError
	if err := w.Close(); !errors.As(err, &e) || !e.Torn {
		t.Errorf("error is %v, want a torn one", err)
	}
	// At least the capacity of a pipe and at most the batch got in.
	if got := w.Stats(); got.Packets < 60 || got.Packets > 190 {
		t.Errorf("stats are %+v", got)
	}
}

// TestBrokenStandardOutput: no SIGPIPE ends the program, so it can still tell
// its counters.
func TestBrokenStandardOutput(t *testing.T) {
	if isChild(t) {
		w, err := NewWriter(os.Stdout, testHeader(), Config{})
		if err == nil {
			for range 10_000 {
				if err = w.WritePacket(&Packet{Data: udpFrame(1000)}); err != nil {
					break
				}
			}
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(0)
	}
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := childCommand(t)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = p, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := r.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("child: %v", err)
	}
	// Whether a block is torn depends on who was faster.
	if got, want := stderr.String(), "write /dev/stdout: broken pipe"; !strings.HasPrefix(got, want) {
		t.Errorf("child says %q, want %q", got, want)
	}
}

// TestTamperedFile: what others do to the file ends the writer at the next
// batch, and never leaves a hole.
func TestTamperedFile(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(path string) error
		want error
	}{
		{"truncated", func(path string) error { return os.Truncate(path, 0) }, ErrTruncated},
		{"removed", os.Remove, ErrUnlinked},
		{"overwritten in place", func(path string) error { return os.WriteFile(path, []byte("log"), 0) }, ErrTruncated},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, w := newWriter(t, Config{})
			if err := w.WritePacket(&Packet{}); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := test.do(f.Name()); err != nil {
				t.Fatal(err)
			}
			before := size(t, f)
			if err := w.WritePacket(&Packet{}); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); !errors.Is(err, test.want) {
				t.Errorf("Flush: %v, want %v", err, test.want)
			}
			if err := w.WriteStatistics(&Statistics{}); !errors.Is(err, test.want) {
				t.Errorf("WriteStatistics: %v, want %v", err, test.want)
			}
			if got := size(t, f); got != before {
				t.Errorf("the file grew from %d to %d bytes", before, got)
			}
			if got := w.Stats(); got.Packets != 1 || got.Lost != 1 {
				t.Errorf("stats are %+v", got)
			}
		})
	}
}

// TestRenamedFile: to rename a file takes nothing from it.
func TestRenamedFile(t *testing.T) {
	f, w := newWriter(t, Config{})
	if err := os.Rename(f.Name(), f.Name()+".1"); err != nil {
		t.Fatal(err)
	}
	if err := w.WritePacket(&Packet{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
