package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"icap/pcapwriter"
)

// udp is an Ethernet frame from 10.0.0.1:1000 to a port of 10.0.0.2.
func udp(port uint16) []byte {
	return []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" +
		"\x45\x00\x00\x20\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" +
		"\x03\xe8" + string([]byte{byte(port >> 8), byte(port)}) + "\x00\x0c\x00\x00data")
}

// write makes a file with packets to the ports, a second apart.
func write(t *testing.T, path, name string, start int64, ports ...uint16) string {
	t.Helper()
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: name, LinkType: 1})
	for i, port := range ports {
		file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Time: (start + int64(i)*10) * 1e9, Data: udp(port), Comment: "kept"})
	}
	file = pcapwriter.AppendStatistics(file, &pcapwriter.Statistics{Received: uint64(len(ports))})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ports are the ports that the lines of packets go to.
func portsOf(text string) string {
	var ports []string
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(line, "> 10.0.0.2.")
		port, _, _ := strings.Cut(rest, ":")
		ports = append(ports, port)
	}
	return strings.Join(ports, " ")
}

func readBy(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("icap") // testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("icap %v: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir+"/a.pcapng", "eth0", 100, 1, 2, 3)
	b := write(t, dir+"/b.pcapng", "lo:inbound-app@web.shop", 105, 11, 12)
	plain, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	gz := gzip.NewWriter(&small)
	if _, err := gz.Write(plain); err != nil || gz.Close() != nil {
		t.Fatal(err)
	}
	zst, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"/a.gz": small.Bytes(), "/a.zst": zst.EncodeAll(plain, nil)} {
		if err := os.WriteFile(dir+name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args  []string
		stdin []byte
		want  string
	}{
		{[]string{"read", a}, nil, "1 2 3"},
		{[]string{"-r", a, "udp", "dst", "port", "2"}, nil, "2"},
		{[]string{"-nr", a, "-c", "2"}, nil, "1 2"},
		{[]string{"-nr", a, "--skip", "1", "-c", "1"}, nil, "2"},
		{[]string{"-nr", a, "--skip", "1", "not port 1"}, nil, "3"},
		{[]string{"read", a, b, "--skip", "9"}, nil, ""},
		{[]string{"-r", "-"}, plain, "1 2 3"},
		{[]string{"read", "-"}, small.Bytes(), "1 2 3"},
		{[]string{"read", dir + "/a.gz", "port 3"}, nil, "3"},
		{[]string{"read", dir + "/a.zst"}, nil, "1 2 3"},
		{[]string{"read", a, b}, nil, "1 11 2 12 3"},
		{[]string{"-r", b, "-r", a, "not port 11"}, nil, "1 2 12 3"},
		{[]string{"read", a, b, "--", "port 12"}, nil, "12"},
	} {
		if got := portsOf(readBy(t, test.stdin, test.args...)); got != test.want {
			t.Errorf("icap %v: ports %q, want %q", test.args, got, test.want)
		}
	}
	if got := readBy(t, nil, "read", b, "-c1"); !strings.Contains(got, " lo:inbound-app IP 10.0.0.1.1000 >") {
		t.Errorf("no leg in %q", got)
	}
}

// TestReadForms looks at how lines are written by flags that no other test
// compares with tcpdump.
func TestReadForms(t *testing.T) {
	a := write(t, t.TempDir()+"/a.pcapng", "lo:inbound-app@web", 100, 1, 2, 3)
	const packet = "IP 10.0.0.1.1000 > 10.0.0.2.3: UDP, length 4\n"
	for _, test := range []struct{ args, want string }{
		{"-ntr FILE --skip 2", "lo:inbound-app " + packet},
		{"-nt#r FILE --skip 2 --lengths", "    3  caplen 46 len 46 lo:inbound-app " + packet},
		{"read -nt FILE --color always port 3", "\x1b[36mlo:inbound-app\x1b[0m " + packet},
		{"read -nt FILE --color auto port 3", "lo:inbound-app " + packet}, // a pipe
		{"read -nt FILE --color never port 3", "lo:inbound-app " + packet},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "FILE", a))
		if got := readBy(t, nil, args...); got != test.want {
			t.Errorf("icap %s\n got %q\nwant %q", test.args, got, test.want)
		}
	}
}

// TestReadNames shows hosts by the names of a file, escaped.
func TestReadNames(t *testing.T) {
	path := t.TempDir() + "/names.pcapng"
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: "eth0", LinkType: 1})
	file = pcapwriter.AppendNames(file, []pcapwriter.Name{
		{Addr: netip.MustParseAddr("10.0.0.1"), Names: []string{"web.shop", "other"}},
		{Addr: netip.MustParseAddr("10.0.0.2"), Names: []string{"e\x1b[31mvil"}},
	})
	file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Data: udp(9)})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-nt --names": `IP web.shop.1000 > e\x1b[31mvil.9: UDP, length 4`,
		"-nt":         "IP 10.0.0.1.1000 > 10.0.0.2.9: UDP, length 4",
	} {
		if got := readBy(t, nil, append(strings.Fields(args), "-r", path)...); got != want+"\n" {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}

// TestReadAndWrite keeps all that is not a packet, and of packets all that is
// selected.
func TestReadAndWrite(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir+"/a.pcapng", "eth0", 100, 1, 2, 3)
	b := write(t, dir+"/b.pcapng", "lo", 105, 11, 12)
	out := filepath.Join(dir, "out.pcapng")
	readBy(t, nil, "read", a, b, "-w", out, "not", "port", "2")
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if ports := portsOf(readBy(t, nil, "read", out)); ports != "1 11 12 3" {
		t.Errorf("ports %s", ports)
	}
	for text, want := range map[string]int{"kept": 4, "eth0": 1, "lo": 1} {
		if n := bytes.Count(got, []byte(text)); n != want {
			t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}
	whole := filepath.Join(dir, "whole.pcapng")
	readBy(t, nil, "read", a, "-w", whole)
	if before, err := os.ReadFile(a); err != nil || fmt.Sprint(before) != fmt.Sprint(mustRead(t, whole)) {
		t.Errorf("a file that is read whole is not the same, %v", err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
