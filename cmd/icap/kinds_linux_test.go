package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestEveryKindIsRead has capinfos, tshark and tcpdump read every kind of file
// that icap writes, without a word of complaint and with the same packets.
func TestEveryKindIsRead(t *testing.T) {
	t.Parallel()
	log := &logFile{filepath.Join(t.TempDir(), "keys.log")}
	l := labtest.New(t, lab.Config{Rules: lab.DNS, Gateway: true, KeyLog: log})
	w := newWire(t)
	dir := filepath.Dir(onDisk(t, "probe"))
	pod, gateway := "netns:"+l.App.Netns, "netns:"+l.Gateway.Netns
	plain := func(args ...string) []string {
		return append([]string{"--netns", w.b.String(), "-i", "vb"}, args...)
	}
	for _, c := range []struct {
		name string
		args []string
		ask  func()
	}{
		{"direct", plain("--write", "direct"), nil},
		{"copy", plain("--write", "copy", "-s", "60"), nil},
		{"both", plain("-i", "lo"), nil},
		{"split", plain("--fanout", "2", "--fanout-mode", "lb", "--split"), nil},
		{"rotated", plain("-C", "2k"), nil},
		{"legs", []string{"pod", pod}, func() { askSecretly(t, l) }},
		{"stitched", []string{"pod", pod, "--stitch"}, func() { askSecretly(t, l) }},
		{"keylogged", []string{"pod", pod, "--keylog", log.path}, func() { askSecretly(t, l) }},
		{"gateway", []string{"gateway", gateway}, func() { runCases(t, l, l.GatewayCases()[:1]) }},
	} {
		args := append(c.args, "-w", filepath.Join(dir, c.name+".pcapng"))
		p := start(t, nil, listening, icap(t, args...))
		if c.ask == nil {
			w.send(t, 40, 100)
		} else {
			c.ask()
		}
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("%s: exit code %d\n%s", c.name, code, p.text())
		}
	}
	derive(t, dir, log.path)
	files, err := filepath.Glob(dir + "/*.pcapng*")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files: %v, %v", len(files), files, err)
	}
	for _, file := range files {
		want := readPcapng(t, file).total
		if want == 0 {
			t.Errorf("%s has no packet", filepath.Base(file))
		}
		if info := output(t, "capinfos", "-M", file); !strings.Contains(info, "pcapng") {
			t.Errorf("%s: capinfos says\n%s", filepath.Base(file), info)
		}
		for name, args := range map[string][]string{"tshark": {"-r", file}, "tcpdump": {"-nqt", "-r", file}, "icap": {"read", file, "-nt"}} {
			if got := strings.Count(output(t, name, args...), "\n"); got != want {
				t.Errorf("%s: %s reads %d of %d packets", filepath.Base(file), name, got, want)
			}
		}
	}
}

// derive makes files out of others.
func derive(t *testing.T, dir, keys string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name+".pcapng") }
	for _, args := range [][]string{
		{"stitch", in("legs"), in("stitched-later")},
		{"read", in("legs"), "-w", in("selected"), "tcp"},
		{"read", in("legs"), in("gateway"), "-w", in("merged")},
		{"read", in("keylogged"), "--keylog", keys + ".clean", "-w", in("keylogged-later")},
		{"repair", in("torn"), "-w", in("repaired")},
	} {
		switch args[0] {
		case "read":
			clean(t, keys)
		case "repair":
			whole, err := os.ReadFile(in("legs"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in("torn"), whole[:len(whole)*2/3+1], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if said, err := icap(t, args...).CombinedOutput(); err != nil {
			t.Errorf("icap %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
	if err := os.Remove(in("torn")); err != nil {
		t.Fatal(err)
	}
}

// clean takes out of a key log what is none.
func clean(t *testing.T, path string) {
	t.Helper()
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var secrets strings.Builder
	for line := range strings.Lines(string(log)) {
		if keyLogLine.MatchString(strings.TrimRight(line, "\n")) {
			secrets.WriteString(line)
		}
	}
	if err := os.WriteFile(path+".clean", []byte(secrets.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
