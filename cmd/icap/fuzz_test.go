package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icap/internal/capture"
)

const secret = "CLIENT_RANDOM 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 0123456789abcdef\n"

// FuzzKeyLog: nothing but secrets gets out of a key log, each as it is in there,
// and reading them once more gives the same.
func FuzzKeyLog(f *testing.F) {
	f.Add([]byte("# comment\n\n" + secret + secret))
	f.Add([]byte(secret + "-----BEGIN PRIVATE KEY-----\n"))
	f.Add([]byte(strings.Replace(secret, "\n", "\r\n", 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		lines, n, err := readKeyLog(path)
		if err != nil {
			return
		}
		if n == 0 || bytes.Count(lines, []byte("\n")) != n {
			t.Errorf("%d secrets in %q", n, lines)
		}
		for line := range bytes.Lines(lines) {
			if line = bytes.TrimSuffix(line, []byte("\n")); !keyLogLine.Match(line) || !bytes.Contains(text, line) {
				t.Errorf("line %q", line)
			}
		}
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			t.Fatal(err)
		}
		if again, m, err := readKeyLog(path); err != nil || m != n || !bytes.Equal(again, lines) {
			t.Errorf("%q is then %q, %v", lines, again, err)
		}
	})
}

// FuzzKeyTail: it does not matter in which pieces a key log comes.
func FuzzKeyTail(f *testing.F) {
	f.Add([]byte(secret+"rubbish\n"+secret), uint16(20), uint16(150))
	f.Add(bytes.Repeat([]byte("A"), 3<<10), uint16(1000), uint16(2000))
	f.Fuzz(func(t *testing.T, text []byte, at, then uint16) {
		var whole, pieces keyTail
		whole.feed(text)
		first := min(int(at), len(text))
		second := min(first+int(then), len(text))
		for _, piece := range [][]byte{text[:first], text[first:second], text[second:]} {
			pieces.feed(piece)
		}
		a, b := whole.fresh(time.Time{}), pieces.fresh(time.Time{})
		if !bytes.Equal(a, b) || whole.skipped != pieces.skipped {
			t.Errorf("%q and %d skipped at once, %q and %d in pieces", a, whole.skipped, b, pieces.skipped)
		}
	})
}

// FuzzRepair: what is left of a file is its beginning, and whole.
func FuzzRepair(f *testing.F) {
	section := "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00"
	iface := "\x01\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x00\x00\x04\x00\x14\x00\x00\x00"
	packet := "\x06\x00\x00\x00\x24\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x04\x00\x00\x00abcd\x24\x00\x00\x00"
	whole := section + iface + packet
	f.Add([]byte(whole))
	f.Add([]byte(whole + packet[:17]))
	f.Add([]byte(whole + "\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		err := repairFile(io.Discard, path, "", false)
		left, rerr := os.ReadFile(path)
		if rerr != nil || !bytes.HasPrefix(text, left) {
			t.Fatalf("%d bytes are left that are not its beginning: %v", len(left), rerr)
		}
		if err != nil {
			if len(left) != len(text) {
				t.Errorf("it is cut in spite of %v", err)
			}
			return
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if tail, err := findTail(f); err != nil || tail.why != nil {
			t.Errorf("it is not whole: %v, %v", tail.why, err)
		}
	})
}

// FuzzFileName: whatever the name of -w is, its files are in its directory, and
// nothing there that is another's is touched.
func FuzzFileName(f *testing.F) {
	f.Add("web-%H%M%S.pcapng", int64(1e9), uint8(0))
	f.Add("%D", int64(0), uint8(3))
	f.Add("..", int64(0), uint8(0))
	f.Add("link/x%S", int64(0), uint8(1))
	f.Add("link", int64(0), uint8(0))
	f.Fuzz(func(t *testing.T, name string, at int64, number uint8) {
		if strings.ContainsAny(name, "/\x00") {
			return // its directory is what the user says
		}
		above := t.TempDir()
		dir := filepath.Join(above, "dir")
		outside := filepath.Join(above, "outside")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../outside", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		flags := &captureFlags{force: true, rotation: rotationFlags{seconds: 60}}
		begin := time.Unix(at%(1<<35), 0)
		s, err := openSeries(flags, filepath.Join(dir, ".")+"/"+name, begin)
		if err == nil {
			if file, err := s.open(capture.Place{Begin: begin.Add(time.Minute), Number: int(number)}); err == nil {
				_, _ = file.WriteString("packets")
				_ = file.Close()
			}
			_ = s.Close()
		}
		var there []string
		entries, err := os.ReadDir(above)
		for _, e := range entries {
			there = append(there, e.Name())
		}
		text, rerr := os.ReadFile(outside)
		if err != nil || rerr != nil || !slices.Equal(there, []string{"dir", "outside"}) || string(text) != "precious" {
			t.Errorf("%q: outside there are %q, with %q; %v, %v", name, there, text, err, rerr)
		}
	})
}

// FuzzEnviron: ports come out of the environment of a process, and nothing else.
func FuzzEnviron(f *testing.F) {
	f.Add("CA_ADDR=istiod.istio-system.svc:15012\x00PROXY_CONFIG={\"discoveryAddress\":\"istiod:15010\"}\x00")
	f.Add("CA_ADDR=:99999\x00PROXY_CONFIG={{{{")
	f.Fuzz(func(t *testing.T, env string) {
		if ports := portsInEnviron(env); slices.Contains(ports, 0) || len(ports) > strings.Count(env, "\x00")+1 {
			t.Errorf("%d", ports)
		}
	})
}
