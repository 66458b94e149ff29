package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestTcpdumpCommandLines types what users of tcpdump type, at both programs,
// and compares what they print.
func TestTcpdumpCommandLines(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	dir := t.TempDir()
	file := dir + "/old.pcap"
	p := tcpdump(t, l.App.NS, file, "-i", "eth0")
	askAll(t, l)
	awaitQuiet(t, dir)
	if code := p.end(syscall.SIGINT); code != 0 {
		t.Fatalf("tcpdump ends with %d\n%s", code, p.text())
	}
	for _, line := range []string{
		"-nr FILE", "-nnr FILE tcp", "-n -r FILE -c 5", "-nr FILE port 8080", "-nSr FILE", "-nqr FILE", "-nvr FILE tcp[tcpflags]&tcp-push==0",
		"-nnvvvr FILE tcp[tcpflags]&tcp-push==0", "-ner FILE", "-ntr FILE", "-nttr FILE", "-ntttr FILE", "-nttttr FILE", "-ntttttr FILE",
		"-n#r FILE", "-nxr FILE tcp", "-nXXr FILE tcp", "-nAr FILE tcp", "-n --nano -r FILE",
		"-nvvKr FILE tcp[tcpflags]&tcp-push==0",
		"-nlUr FILE tcp[tcpflags]&(tcp-syn|tcp-fin)!=0", "-nKNr FILE arp or icmp",
	} {
		args := strings.Fields(strings.ReplaceAll(line, "FILE", file))
		cmd := exec.Command("tcpdump", args...)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("tcpdump %s: %v", line, err)
		}
		mine := icap(t, args...)
		mine.Env = append(os.Environ(), "TZ=UTC")
		got, err := mine.Output()
		if err != nil {
			t.Errorf("icap %s: %v", line, err)
		}
		compareLines(t, line, string(got), string(want))
	}
}

// compareLines compares two outputs line by line. icap says more of HTTP and
// TLS, at the end of a line.
func compareLines(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		wanted := strings.TrimSuffix(w[i], ": HTTP")
		if g[i] != wanted && !strings.HasPrefix(g[i], wanted+": ") {
			t.Errorf("icap %s, line %d:\n got %s\nwant %s", what, i+1, g[i], w[i])
			return
		}
	}
	if len(g) != len(w) {
		t.Errorf("icap %s: %d lines, want %d", what, len(g), len(w))
	}
}

// TestListAndPrint lists interfaces, captures by a number of the list, and
// prints what it writes.
func TestListAndPrint(t *testing.T) {
	w := newWire(t)
	list := output(t, "icap", "--netns", w.b.String(), "-D")
	number := ""
	for line := range strings.Lines(list) {
		if n, rest, _ := strings.Cut(line, "."); strings.HasPrefix(rest, "vb [Up, Running, Connected]") {
			number = n
		}
	}
	if number == "" || !strings.Contains(list, ".lo [") || !strings.Contains(list, ".any ") {
		t.Fatalf("the list is\n%s", list)
	}
	if got := output(t, "icap", "--netns", w.b.String(), "-i", "vb", "-L"); !strings.Contains(got, "EN10MB") {
		t.Errorf("link types: %s", got)
	}
	file := temp(t, "print.pcapng")
	cmd := icap(t, "--netns", w.b.String(), "-i", number, "-c2", "-n", "--print", "-w", file, "udp")
	var out strings.Builder
	cmd.Stdout = &out
	p := start(t, nil, listening, cmd)
	w.send(t, 2, 30)
	if code := p.end(0); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	if n := strings.Count(out.String(), "> 10.9.0.2.9: UDP"); n != 2 || readPcapng(t, file).total != 2 {
		t.Errorf("%d packets printed, %d in the file\n%s", n, readPcapng(t, file).total, out.String())
	}
	cmd = icap(t, "--netns", w.b.String(), "-i", "vb", "--skip", "2", "-c1", "-nt#", "udp")
	out.Reset()
	cmd.Stdout = &out
	p = start(t, nil, listening, cmd)
	w.send(t, 4, 30)
	if code := p.end(0); code != exitDone || !strings.HasPrefix(out.String(), "    3  IP ") || !strings.Contains(p.text(), ", 2 skipped") {
		t.Errorf("--skip: exit code %d\n%s%s", code, &out, p.text())
	}
	skipped := temp(t, "skipped.pcapng")
	p = start(t, nil, listening, icap(t, "--netns", w.b.String(), "-i", "vb", "--skip", "2", "-c1", "-w", skipped, "udp"))
	w.send(t, 4, 30)
	if code := p.end(0); code != exitDone || readPcapng(t, skipped).total != 1 {
		t.Errorf("--skip into a file: exit code %d\n%s", code, p.text())
	}
	if got := output(t, "icap", "-r", file, "--count"); got != "2 packets\n" {
		t.Errorf("%q", got)
	}
}
