package direct_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"icap/internal/lab/labtest"
)

// A packet is what two captures of the same wire must agree on.
type packet struct {
	data string
	size int
	time time.Time
}

// read reads all packets of a file with gopacket.
func read(t testing.TB, path string) (all []packet) {
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
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(all), err)
		}
		all = append(all, packet{string(data), ci.Length, ci.Timestamp})
	}
}

// judge has other programs read a file, which must not complain.
func judge(t testing.TB, path string, packets int) {
	t.Helper()
	if got := strings.Count(output(t, "tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number"), "\n"); got != packets {
		t.Errorf("tshark reads %d packets, want %d", got, packets)
	}
	if got := output(t, "capinfos", "-McT", path); !strings.Contains(got, fmt.Sprintf("\t%d", packets)) {
		t.Errorf("capinfos does not count %d packets:\n%s", packets, got)
	}
	if got := strings.Count(output(t, "tcpdump", "-tnqr", path), "\n"); got < packets {
		t.Errorf("tcpdump reads %d packets, want %d", got, packets)
	}
}

// output runs a program that must succeed without a word on standard error.
func output(t testing.TB, name string, args ...string) string {
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

// beside runs tcpdump on vb while f runs, and returns the packets of its file.
func (w wire) beside(t testing.TB, snaplen int, n int, f func()) []packet {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	file := filepath.Join(t.TempDir(), "tcpdump.pcap")
	cmd := exec.Command(path, "-Z", "root", "-n", "-B", "65536", "--time-stamp-precision=nano", "-Qin",
		"-s", fmt.Sprint(snaplen), "-c", fmt.Sprint(n), "-w", file, "-i", "vb", "ether dst 02:ba:dc:0d:00:01")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.b.Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	var said []byte
	for b := make([]byte, 256); !bytes.Contains(said, []byte("listening on")); {
		n, err := stderr.Read(b)
		if err != nil {
			t.Fatalf("tcpdump: %v\n%s", err, said)
		}
		said = append(said, b[:n]...)
	}
	f()
	timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	rest, _ := io.ReadAll(stderr)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("tcpdump: %v\n%s%s", err, said, rest)
	}
	return readPcap(t, file)
}

func readPcap(t testing.TB, path string) (all []packet) {
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
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, packet{string(data), ci.Length, ci.Timestamp})
	}
}

// compare holds two captures against each other, in their order or by time.
func compare(t *testing.T, got, want []packet, ordered bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	byTime := make(map[int64]packet)
	for _, p := range want {
		byTime[p.time.UnixNano()] = p
	}
	differing := 0
	for i, p := range got {
		w := want[i]
		if !ordered {
			w = byTime[p.time.UnixNano()]
		}
		if p.data != w.data || p.size != w.size || !p.time.Equal(w.time) {
			if differing++; differing < 5 {
				t.Errorf("packet %d: %d of %d bytes at %v, want %d of %d bytes at %v",
					i, len(p.data), p.size, p.time, len(w.data), w.size, w.time)
			}
		}
	}
	if differing > 0 {
		t.Errorf("%d packets differ", differing)
	}
}
