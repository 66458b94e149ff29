package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// A timed packet is what two captures of the same wire must agree on.
type timed struct {
	at   int64
	data string
}

// timedPackets are those of a file, with the comments of all of them.
func timedPackets(t *testing.T, file string) (all []timed, comments []string) {
	t.Helper()
	eachBlock(t, file, func(b *capfile.Block) {
		if b.Packet == nil {
			return
		}
		all = append(all, timed{b.Packet.Time, string(b.Packet.Data)})
		for o, rest, ok := capfile.NextOption(b.Packet.Options, b.Order); ok; o, rest, ok = capfile.NextOption(rest, b.Order) {
			if o.Code == capfile.OptionComment {
				comments = append(comments, string(o.Value))
			}
		}
	})
	return all, comments
}

// same reports whether two captures have the same packets. Those that leave get
// their time from each ring.
func same(a, b []timed) bool {
	return slices.EqualFunc(a, b, func(p, q timed) bool {
		return p.data == q.data && time.Duration(p.at-q.at).Abs() < time.Millisecond
	})
}

// around is the packets of a full capture that surround events.
func around(full []timed, events []int64, pre, post time.Duration) (cut []timed) {
	for _, p := range full {
		if slices.ContainsFunc(events, func(at int64) bool { return p.at >= at-int64(pre) && p.at <= at+int64(post) }) {
			cut = append(cut, p)
		}
	}
	return cut
}

// resets are when a full capture shows a RST.
func resets(full []timed) (times []int64) {
	for _, p := range full {
		var h flow.Headers
		if h.Decode([]byte(p.data)); h.Proto == flow.ProtoTCP && h.Flags&flow.RST != 0 {
			times = append(times, p.at)
		}
	}
	return times
}

// A triggered is a capture with a trigger beside a full one, by tcpdump.
type triggered struct {
	*named
	dir  string
	icap *proc
	full *proc
}

func newTriggered(t *testing.T, n *named, args ...string) *triggered {
	t.Helper()
	c := &triggered{named: n, dir: t.TempDir()}
	// With a snaplen tcpdump has room for a burst.
	c.full = tcpdump(t, n.ns, c.dir+"/full.pcap", "-i", "eth0", "--time-stamp-precision=nano", "-s", "200", "not ip6 and not arp")
	n.send(1)
	awaitQuiet(t, c.dir) // so that tcpdump captures indeed
	args = append([]string{"--netns", n.name, "-i", "eth0", "not ip6 and not arp", "-w", c.dir + "/out.pcapng"}, args...)
	c.icap = start(t, nil, listening, icap(t, args...))
	return c
}

// tick sends packets, evenly.
func (c *triggered) tick(packets int) {
	for range packets {
		c.send(1)
		time.Sleep(10 * time.Millisecond)
	}
}

// end ends both captures, and returns what the full one has.
func (c *triggered) end(t *testing.T) []timed {
	t.Helper()
	c.tick(3)
	awaitQuiet(t, c.dir)
	if code := c.icap.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, c.icap.text())
	}
	c.full.end(syscall.SIGINT)
	full, _ := timedPackets(t, c.dir+"/full.pcap")
	return full
}

// checkTriggered holds a file against the cut of the full one. Every file is
// complete by its own account.
func checkTriggered(t *testing.T, file string, want []timed, told string) (comments []string) {
	t.Helper()
	got, comments := timedPackets(t, file)
	if !same(got, want) {
		t.Errorf("%d packets in %s, want %d\n%s", len(got), file, len(want), told)
	}
	if text, err := icap(t, "check", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	return comments
}

// TestTrigger captures around RSTs, and around packets that match.
func TestTrigger(t *testing.T) {
	t.Parallel()
	n := newNamed(t)
	const pre, post = 300 * time.Millisecond, 200 * time.Millisecond
	for name, args := range map[string][]string{
		"rst":        {"--trigger", "rst"},
		"expression": {"--trigger", "tcp[tcpflags] & tcp-rst != 0"},
		"stitched":   {"--trigger", "rst", "--stitch"},
		"-C":         {"--trigger", "rst", "-C", "8k"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTriggered(t, n, append(args, "--pre", pre.String(), "--post", post.String())...)
			for range 2 { // windows with a gap between them
				c.tick(60)
				c.connect()
			}
			c.tick(5)
			c.connect() // within the window
			c.tick(40)
			full := c.end(t)
			events := resets(full)
			if len(events) != 3 {
				t.Fatalf("%d RSTs", len(events))
			}
			if name == "-C" {
				var got []timed
				files := 0
				for path := c.dir + "/out.pcapng"; ; path = fmt.Sprintf("%s/out.pcapng%d", c.dir, files) {
					if _, err := os.Stat(path); err != nil {
						break
					}
					part, _ := timedPackets(t, path)
					got = append(got, part...)
					checkTriggered(t, path, part, "")
					files++
				}
				if !same(got, around(full, events, pre, post)) || files < 2 {
					t.Errorf("%d packets in %d files", len(got), files)
				}
				return
			}
			comments := checkTriggered(t, c.dir+"/out.pcapng", around(full, events, pre, post), c.icap.text())
			if text := strings.Join(comments, "\n"); strings.Count(text, "icap: trigger: "+args[1]) != 3 || strings.Count(text, "before this one left out") != 2 {
				t.Errorf("comments:\n%s", text)
			}
			if told := c.icap.text(); !strings.Contains(told, "2 windows around 3 events") {
				t.Error(told)
			}
		})
	}
}

// TestTriggerFiles writes a file for each event.
func TestTriggerFiles(t *testing.T) {
	n := newNamed(t)
	const pre, post = 200 * time.Millisecond, 100 * time.Millisecond
	c := newTriggered(t, n, "--trigger", "rst", "--file-per-event", "--pre", pre.String(), "--post", post.String())
	for range 3 {
		c.tick(40)
		c.connect()
	}
	full := c.end(t)
	events := resets(full)
	for i, name := range []string{"/out.pcapng", "/out.pcapng1", "/out.pcapng2"} {
		checkTriggered(t, c.dir+name, around(full, events[i:i+1], pre, post), c.icap.text())
	}
	if _, err := os.Stat(c.dir + "/out.pcapng3"); err == nil {
		t.Error("there is a fourth file")
	}
}

// TestTriggerSignal captures around signals. The last one is at the very end.
func TestTriggerSignal(t *testing.T) {
	n := newNamed(t)
	const pre, post = 200 * time.Millisecond, 100 * time.Millisecond
	c := newTriggered(t, n, "--trigger", "SIGUSR2", "--pre", pre.String(), "--post", post.String())
	for i := range 2 {
		c.tick(40)
		if err := c.icap.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		c.icap.says("SIGUSR2 at", i+1)
	}
	full := c.end(t)
	var events []int64
	for line := range strings.Lines(c.icap.text()) {
		_, clock, ok := strings.Cut(strings.TrimSpace(line), ": SIGUSR2 at ")
		if !ok {
			continue
		}
		of, err := time.ParseInLocation("15:04:05.000000", clock, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := time.Now().Date()
		events = append(events, of.AddDate(y, int(m)-1, d-1).UnixNano())
	}
	if len(events) != 2 {
		t.Fatal(c.icap.text())
	}
	comments := checkTriggered(t, c.dir+"/out.pcapng", around(full, events, pre, post), c.icap.text())
	if text := strings.Join(comments, "\n"); strings.Count(text, "icap: trigger: SIGUSR2 at ") != 2 {
		t.Errorf("comments:\n%s", text)
	}
}

// TestTriggerMemory holds less than a burst: what is written is the end of it.
// -c ends the capture within the window.
func TestTriggerMemory(t *testing.T) {
	n := newNamed(t)
	c := newTriggered(t, n, "--trigger", "rst", "--max-memory", "2m", "--pre", "60s", "-B", "64m")
	n.send(30_000)
	c.connect()
	full := c.end(t)
	got, comments := timedPackets(t, c.dir+"/out.pcapng")
	told := c.icap.text()
	if len(got) < 2000 || len(got) > 20_000 || !strings.Contains(told, "memory was short") || !strings.Contains(told, "left memory before") {
		t.Fatalf("%d packets\n%s", len(got), told)
	}
	if !same(got, full[len(full)-len(got):]) {
		i, tail := 0, full[len(full)-len(got):]
		for same(got[i:i+1], tail[i:i+1]) {
			i++
		}
		t.Errorf("what was written is not the end of the full capture of %d: packet %d of %d is %v, %x, want %v, %x",
			len(full), i, len(got), time.Unix(0, got[i].at), got[i].data, time.Unix(0, tail[i].at), tail[i].data)
	}
	if !strings.Contains(comments[0], "before this one left out") {
		t.Errorf("comments: %q", comments)
	}
	t.Log(told)
}

// TestTriggerCount ends with so many packets, and prints without -w.
func TestTriggerCount(t *testing.T) {
	n := newNamed(t)
	var out strings.Builder
	cmd := icap(t, "--netns", n.name, "-i", "eth0", "-n", "-c", "3", "--trigger", "tcp[tcpflags] & tcp-syn != 0", "--pre", "1h", "udp port 9 or tcp port 9")
	cmd.Stdout = &out
	p := start(t, nil, listening, cmd)
	n.send(2)
	n.connect()
	if code := p.end(0); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if text := out.String(); strings.Count(text, "\n") != 3 || strings.Count(text, "UDP") != 2 || strings.Count(text, "Flags [S]") != 1 {
		t.Errorf("%s\n%s", text, p.text())
	}
	if !strings.Contains(p.text(), "3 packets captured") {
		t.Error(p.text())
	}
}

// TestTriggerRetransmit waits for the kernel to send a SYN again.
func TestTriggerRetransmit(t *testing.T) {
	n := newNamed(t)
	var out strings.Builder
	cmd := icap(t, "--netns", n.name, "-i", "eth0", "-n", "-c", "2", "--trigger", "retransmit", "tcp")
	cmd.Stdout = &out
	p := start(t, nil, listening, cmd)
	n.dialNobody()
	if code := p.end(0); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if text := out.String(); strings.Count(text, "Flags [S]") != 2 {
		t.Errorf("%s\n%s", text, p.text())
	}
}

// dialNobody connects to an address where there is nobody to answer.
func (n *named) dialNobody() {
	n.t.Helper()
	output(n.t, "ip", "-n", n.name, "neigh", "add", "10.7.0.3", "lladdr", "02:00:00:00:00:03", "dev", "eth0")
	err := n.ns.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		n.t.Cleanup(func() { _ = unix.Close(fd) })
		return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{10, 7, 0, 3}, Port: 80})
	})
	if !errors.Is(err, unix.EINPROGRESS) {
		n.t.Errorf("connect: %v, want %v", err, unix.EINPROGRESS)
	}
}

// TestTriggerPod captures around what the app and others reset, on all legs,
// stitched.
func TestTriggerPod(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	const around = 100 * time.Millisecond
	fullBegin, fullEnd := captureLab(t, l, "--stitch")
	begin, end := captureLab(t, l, "--stitch", "--trigger", "rst", "--pre", around.String(), "--post", around.String())
	fullBegin()
	begin()
	for _, c := range l.Cases() {
		if name := c.Name; name == "reset-app" || name == "refused-out" || name == "outbound-mesh" {
			runLab(t, l, c, nil)
			time.Sleep(3 * around)
		}
	}
	file, fullFile := end(), fullEnd()
	got, comments := timedPackets(t, file)
	full, _ := timedPackets(t, fullFile)
	events := resets(full)
	if text := strings.Join(comments, "\n"); len(events) == 0 || strings.Count(text, "icap: trigger: rst") != len(events) {
		t.Errorf("%d RSTs, and comments\n%s", len(events), text)
	}
	in := make(map[string]int)
	for _, p := range got {
		in[p.data]++
	}
	missing, surplus := 0, len(got)
	for _, p := range full {
		// Each ring has times of its own: nobody knows what is at the edge.
		near, far := false, true
		for _, at := range events {
			off := time.Duration(p.at - at).Abs()
			near = near || off < around-time.Millisecond
			far = far && off > around+time.Millisecond
		}
		switch {
		case in[p.data] > 0 && !far:
			in[p.data]--
			surplus--
		case near:
			missing++
		}
	}
	if missing > 0 || surplus > 0 || len(got) == len(full) {
		t.Errorf("%d of %d packets, %d missing, %d surplus", len(got), len(full), missing, surplus)
	}
	if told, err := icap(t, "check", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, told)
	}
	if told := output(t, "icap", "events", "-r", file, "--only", "rst"); strings.Count(told, "\n") != len(events) {
		t.Errorf("events of %d RSTs:\n%s", len(events), told)
	}
}
