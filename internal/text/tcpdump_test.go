package text

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icap/pcapwriter"
)

// TestTcpdump compares every line with that of the original, with and without
// the link layer.
func TestTcpdump(t *testing.T) {
	var same []sample
	var frames [][]byte
	for _, s := range samples(t) {
		if !s.ours {
			same = append(same, s)
			frames = append(frames, s.frame)
		}
	}
	path := captured(t, frames, always)
	for _, test := range []struct {
		flags   string
		options Options
	}{
		{"-nS", Options{Numeric: true}},
		{"-nSe", Options{Numeric: true, Link: true}},
		{"-nSt", Options{Numeric: true, Time: TimeNone}},
		{"-nStt", Options{Numeric: true, Time: TimeEpoch}},
		{"-nStttt", Options{Numeric: true, Time: TimeDate}},
	} {
		lines := tcpdump(t, test.flags, path)
		if len(lines) != len(same) {
			t.Fatalf("tcpdump %s prints %d lines, want %d", test.flags, len(lines), len(same))
		}
		for i, s := range same {
			got := string(New(test.options).Append(nil, testTime, "", s.frame, len(s.frame)))
			if want := lines[i]; got != want {
				t.Errorf("%s with %s\n got %s\nwant %s", s.name, test.flags, got, want)
			}
		}
	}
}

// captured writes frames, the i-th of the time at(i), for tcpdump to read.
func captured(t *testing.T, frames [][]byte, at func(i int) time.Time) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "frames.pcapng")
	f, err := pcapwriter.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := pcapwriter.NewWriter(f, &pcapwriter.Header{
		Interfaces: []pcapwriter.Interface{{Name: "lo", LinkType: 1, Snaplen: 262144}},
	}, pcapwriter.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, frame := range frames {
		if err := w.WritePacket(&pcapwriter.Packet{Time: at(i).UnixNano(), Data: frame}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// always is the time of every frame where it does not matter.
func always(int) time.Time { return testTime }

// tcpdump returns what tcpdump prints of a file.
func tcpdump(t *testing.T, flags, path string) []string {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("ICAP_TEST_ROOT") == "1" {
			t.Fatal("ICAP_TEST_ROOT=1, but there is no tcpdump")
		}
		t.Skip("no tcpdump")
	}
	cmd := exec.Command("tcpdump", flags, "-r", path)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
