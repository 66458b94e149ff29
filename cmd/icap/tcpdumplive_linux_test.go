package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// liveLines are what users of tcpdump type most, for the interface vb.
var liveLines = []string{
	"-ni vb",
	"-nn -i vb",
	"-nni vb tcp",
	"-nni vb udp",
	"-nni vb icmp",
	"-nni vb arp or icmp",
	"-nni vb port 80",
	"-nni vb tcp port 80 and host 10.9.0.1",
	"-nni vb src host 10.9.0.1",
	"-nni vb dst net 10.9.0.0/24 and not port 22",
	"-nni vb portrange 1-1024",
	"-nni vb greater 100",
	"-nni vb tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0",
	"-nni vb -c 5",
	"-nnc3 -ivb udp",
	"-nni vb -s 64 tcp",
	"-nnvi vb udp",
	"-nnvvvi vb tcp port 81",
	"-nnei vb",
	"-nnAi vb -s0 tcp port 80",
	"-nnXi vb port 80",
	"-nnXXi vb icmp",
	"-nnxi vb udp",
	"-nnSi vb tcp",
	"-nnqi vb",
	"-nnti vb",
	"-nnttttvvv -i vb udp",
	"-nntti vb",
	"-lnni vb tcp",
	"-pUnn#i vb",
	"-nni vb -Q in",
	"-nni vb -Q out",
	"-nni vb -B 4096 --immediate-mode -K",
	"-nni any tcp",
	"-i any -nn -c 6 port 80",
	"-ni any -t udp or icmp",
	"-nni vb -w FILE",
	"-Uni vb -s 100 -w FILE tcp or udp",
}

// A pair is one command line at both programs.
type pair struct {
	line string
	mine bytes.Buffer
	peer bytes.Buffer
	p, q *proc
	dirs [2]string
}

// TestTcpdumpLive types what users of tcpdump type, at both programs at once,
// and compares what they print or write of the same packets.
func TestTcpdumpLive(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	t.Setenv("TZ", "UTC")
	const together = 9
	for i := 0; i < len(liveLines); i += together {
		w := newWire(t)
		quiet(t, w)
		var pairs []*pair
		for _, line := range liveLines[i:min(i+together, len(liveLines))] {
			pairs = append(pairs, newPair(t, w, line))
		}
		w.send(t, 5, 30)
		talk(t, w)
		w.sendTo(t, 100, 5)
		time.Sleep(1200 * time.Millisecond) // after which tcpdump's blocks are handed over
		for _, p := range pairs {
			p.compare(t)
		}
	}
}

// quiet keeps IPv6 from saying something by itself, and neighbours from asking
// for each other again while programs end, which takes a busy machine seconds.
func quiet(t *testing.T, w wire) {
	t.Helper()
	for ns, name := range map[*nsswitch.NS]string{w.a: "va", w.b: "vb"} {
		err := ns.Do(func() error {
			err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
			if err != nil && !os.IsNotExist(err) {
				return err
			}
			return os.WriteFile("/proc/sys/net/ipv4/neigh/"+name+"/delay_first_probe_time", []byte("300"), 0)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newPair(t *testing.T, w wire, line string) *pair {
	t.Helper()
	p := &pair{line: line}
	for i, name := range []string{"icap", "tcpdump"} {
		p.dirs[i] = t.TempDir()
		// tcpdump has given its privileges up when it writes.
		if err := os.Chmod(p.dirs[i], 0o777); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(name, strings.Fields(strings.ReplaceAll(line, "FILE", "out"))...)
		cmd.Dir = p.dirs[i]
		if name == "icap" {
			cmd.Stdout = &p.mine
			p.p = start(t, w.b, listening, cmd)
		} else {
			cmd.Stdout = &p.peer
			p.q = start(t, w.b, "listening on", cmd)
		}
	}
	return p
}

// talk has a request answered on port 80, and refused on port 81.
func talk(t *testing.T, w wire) {
	t.Helper()
	var l net.Listener
	err := w.b.Do(func() (err error) {
		l, err = net.Listen("tcp", "10.9.0.2:80")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1000))
		_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\nServer: test\r\n\r\n"+strings.Repeat("page ", 400))
	})
	err = w.a.Do(func() error {
		conn, err := net.Dial("tcp", "10.9.0.2:80")
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /index.html HTTP/1.0\r\nHost: b\r\n\r\n"); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			return err
		}
		if refused, err := net.Dial("tcp", "10.9.0.2:81"); err == nil {
			return refused.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	serving.Wait()
}

// endsByItself reports whether a line ends by itself.
func endsByItself(line string) bool {
	return strings.Contains(line, "-c ") || strings.Contains(line, "-nnc")
}

// compare ends both programs, unless they have ended, and compares their
// outputs; of files, what tcpdump prints of them.
func (p *pair) compare(t *testing.T) {
	t.Helper()
	for _, q := range []*proc{p.p, p.q} {
		sig := syscall.SIGINT
		if endsByItself(p.line) {
			sig = 0
		}
		if code := q.end(sig); code != 0 {
			t.Errorf("%s: exit code %d\n%s", p.line, code, q.text())
		}
	}
	got, want := p.mine.String(), p.peer.String()
	if strings.Contains(p.line, "FILE") {
		got = output(t, "tcpdump", "-nr", filepath.Join(p.dirs[0], "out"))
		want = output(t, "tcpdump", "-nr", filepath.Join(p.dirs[1], "out"))
	}
	if strings.Count(want, "\n") < 2 {
		t.Errorf("%s: tcpdump prints only %q\n%s", p.line, want, p.q.text())
	}
	// When it is interrupted, tcpdump prints an empty line.
	want = strings.TrimRight(want, "\n") + "\n"
	compareLines(t, p.line, timeless(got), timeless(want))
}

// times are those of lines. Each socket has its own for a packet.
var times = regexp.MustCompile(`(?m)(?:^|  )(\d{4}-\d\d-\d\d )?(\d\d:\d\d:\d\d|\d{10})\.\d{6} `)

// timeless leaves no more of a time than its form.
func timeless(lines string) string {
	return times.ReplaceAllStringFunc(lines, func(time string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '0'
			}
			return r
		}, time)
	})
}

// TestListAsTcpdump: interfaces have the numbers that they have in tcpdump, which
// lists more things, behind those that run.
func TestListAsTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		labtest.Skip(t, "needs tcpdump")
	}
	w := newWire(t)
	add := func(l netlink.Link, up bool) {
		t.Helper()
		err := w.b.Do(func() error {
			if err := netlink.LinkAdd(l); err != nil || !up {
				return err
			}
			return netlink.LinkSetUp(l)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "x9"}, PeerName: "down0"}, true)
	add(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br10"}}, true)
	add(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br2"}}, true)
	lists := make(map[string][]string)
	for _, name := range []string{"icap", "tcpdump"} {
		cmd := exec.Command(name, "-D")
		err := w.b.Do(func() error {
			out, err := cmd.Output()
			lists[name] = strings.Split(strings.TrimSpace(string(out)), "\n")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const running = 6 // vb, br10, br2, any, lo, x9
	got, want := lists["icap"], lists["tcpdump"]
	if len(got) != running+1 || !slices.Equal(got[:running], want[:running]) || got[running] != "7.down0 [none, Disconnected]" {
		t.Errorf("icap lists\n%s\ntcpdump lists\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
