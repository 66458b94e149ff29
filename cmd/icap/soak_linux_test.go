package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// soakEnv is how long TestSoak goes on, such as 10m.
const soakEnv = "ICAP_SOAK"

// TestSoak captures for a long time, by default a short one: everything in a
// namespace whose interfaces come and go, and a pod that is replaced again and
// again, and each time gets a proxy, and with it other filters; each into many
// files, which are verified and removed. Every packet is known by the port of its
// burst and its number in it.
func TestSoak(t *testing.T) {
	duration := 4 * time.Second
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("iptables-restore"); err != nil {
		labtest.Skip(t, "needs iptables-restore")
	}
	w, pod := newWire(t), newNamed(t)
	const filter = "udp dst portrange 10000-60000"
	any := newSoaked(t, listening+" vb", "capture", "--netns", w.b.String(), "-i", "any", "-B", "64m", "-C", "4", "--hup", "rotate", filter)
	one := newSoaked(t, listening+" eth0", "pod", "netns:"+pod.name, "--follow", "-C", "1", "--", filter)

	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(rand.IntN(50)) * time.Millisecond):
				any.burst(w.a, w.to.Addr(), 1+rand.IntN(1500), 4+rand.IntN(1460))
			}
		}
	})
	const pace = 2 * time.Second
	rounds := 0
	for end, tick := time.Now().Add(duration), time.Tick(pace); time.Now().Before(end); rounds++ {
		if rounds > 0 {
			<-tick
		}
		name, peer, net := fmt.Sprintf("n%d", rounds), fmt.Sprintf("p%d", rounds), byte(rounds)
		labtest.Veth(t, w.a, peer, w.b, name,
			netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 30, net, 1}), 24), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 30, net, 2}), 24))
		any.says(fmt.Sprintf("%s %s@", listening, name), 1)
		any.burst(w.a, netip.AddrFrom4([4]byte{10, 30, net, 2}), 200, 500)
		pod.remove()
		one.says("is gone; waiting for it to come back", rounds+1)
		one.saysMore(listening+" eth0", pod.make)
		one.burst(pod.peer, pod.addr(2), 300, 1000)
		one.saysMore(listening+" eth0", pod.redirect)
		one.burst(pod.peer, pod.addr(2), 300, 1000)
		labtest.WithLink(t, w.a, peer, netlink.LinkDel)
		if rounds%2 == 1 {
			any.signal(syscall.SIGHUP)
		}
		any.look()
		one.look()
		if t.Failed() {
			break
		}
	}
	close(stop)
	load.Wait()
	for _, s := range []*soaked{any, one} {
		s.end()
		t.Logf("%s: %d rounds, %d packets in %d bursts verified in %d files; first %s, last %s; helper: first %s, last %s",
			s.what, rounds, s.verified, s.bursts, s.files, s.usage[0], s.usage[len(s.usage)-1], s.helper[0], s.helper[len(s.helper)-1])
	}
}

// A soaked is an icap whose files are verified while it writes them.
type soaked struct {
	*proc
	what  string
	dir   string
	usage []usage
	// helper is what the helper has at the same times.
	helper []usage

	mu       sync.Mutex
	sent     map[uint16]int // packets of bursts, by port
	seen     map[uint16]int // of these
	bursts   int
	total    int // packets sent
	verified int
	files    int
}

// usage is what a process has.
type usage struct {
	descriptors, threads, goroutines, namespaces, rss int // rss in KiB
}

func (u usage) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d goroutines, %d namespaces, %d MiB", u.descriptors, u.threads, u.goroutines, u.namespaces, u.rss>>10)
}

func newSoaked(t *testing.T, marker string, args ...string) *soaked {
	s := &soaked{what: "icap " + args[0], dir: t.TempDir(), sent: make(map[uint16]int), seen: make(map[uint16]int)}
	args = append([]string{args[0], "--stats-json", "-w", filepath.Join(s.dir, "x")}, args[1:]...)
	s.proc = start(t, nil, marker, icap(t, args...))
	return s
}

// says waits until something was said so many times.
func (s *soaked) says(what string, times int) {
	s.t.Helper()
	await(s.t, what, func() bool { return strings.Count(s.text(), what) >= times })
}

// saysMore waits until something was said once more for an action.
func (s *soaked) saysMore(what string, action func()) {
	s.t.Helper()
	before := strings.Count(s.text(), what)
	action()
	s.says(what, before+1)
}

func (s *soaked) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// burst sends numbered packets to a port that no other burst has.
func (s *soaked) burst(from *nsswitch.NS, to netip.Addr, n, size int) {
	const first, ports = 10000, 50000
	s.mu.Lock()
	port := uint16(first + s.bursts%ports)
	s.bursts++
	if s.seen[port] != s.sent[port] {
		s.t.Errorf("port %d: %d of %d packets until it is used again", port, s.seen[port], s.sent[port])
	}
	s.sent[port], s.seen[port] = n, 0
	s.total += n
	s.mu.Unlock()
	if got, err := lab.SendUDP(from, netip.AddrPortFrom(to, port), n, size); got != n || err != nil {
		s.t.Errorf("sent %d of %d: %v", got, n, err)
	}
}

// look asks for the counts, verifies the files that are complete, and takes
// note of what the process has.
func (s *soaked) look() {
	s.t.Helper()
	text := s.ask()
	var now counts
	line, _, whole := strings.Cut(text[strings.LastIndex(text, `{"time"`):], "\n")
	if err := json.Unmarshal([]byte(line), &now); whole && err != nil {
		s.t.Errorf("%v in %s", err, line)
	}
	s.verify(false)
	u := s.uses()
	u.goroutines = now.Goroutines
	s.usage = append(s.usage, u)
	for _, pid := range helpersOf(s.t, s.Process.Pid) {
		s.helper = append(s.helper, usesOf(pid))
	}
}

// ask asks for the counts, again where the disk has kept the capture from
// answering, and returns all that was said.
func (s *soaked) ask() (text string) {
	s.t.Helper()
	const counts, patience = `{"time"`, 2 * time.Second
	before := strings.Count(s.text(), counts)
	for range 15 {
		s.signal(syscall.SIGUSR1)
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if text = s.text(); strings.Count(text, counts) > before {
				return text
			}
		}
	}
	s.t.Fatalf("no counts in\n%s", text[max(0, len(text)-2000):])
	return text
}

// uses is what a process has, but for goroutines, of which only it knows.
func (p *proc) uses() (u usage) { return usesOf(p.Process.Pid) }

func usesOf(pid int) (u usage) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	tasks, _ := os.ReadDir(dir + "task")
	u.threads = len(tasks)
	fds, _ := os.ReadDir(dir + "fd")
	u.descriptors = len(fds)
	for _, fd := range fds {
		if to, _ := os.Readlink(dir + "fd/" + fd.Name()); strings.HasPrefix(to, "net:[") || strings.HasPrefix(to, "/run/netns/") {
			u.namespaces++
		}
	}
	status, _ := os.ReadFile(dir + "status")
	if _, rss, ok := strings.Cut(string(status), "RssAnon:"); ok {
		u.rss, _ = strconv.Atoi(strings.Fields(rss)[0])
	}
	return u
}

// verify reads the files in their order, the last one only if it is complete,
// and removes them.
func (s *soaked) verify(last bool) {
	s.t.Helper()
	name := func(n int) string {
		if n == 0 {
			return filepath.Join(s.dir, "x")
		}
		return filepath.Join(s.dir, fmt.Sprintf("x%d", n))
	}
	for ; ; s.files++ {
		if _, err := os.Stat(name(s.files + 1)); errors.Is(err, fs.ErrNotExist) && !last {
			return
		}
		if _, err := os.Stat(name(s.files)); err != nil {
			return
		}
		for _, packets := range readPcapng(s.t, name(s.files)).interfaces {
			for _, p := range packets {
				s.see(p.data)
			}
		}
		if err := os.Remove(name(s.files)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// see takes note of a packet, which must be the next one of its burst.
func (s *soaked) see(frame string) {
	const udp = 14 + 20
	port := binary.BigEndian.Uint16([]byte(frame[udp+2:]))
	number := int(binary.BigEndian.Uint32([]byte(frame[udp+8:])))
	s.mu.Lock()
	defer s.mu.Unlock()
	if number != s.seen[port] {
		s.t.Fatalf("port %d: packet %d where %d is due", port, number, s.seen[port])
	}
	s.seen[port]++
	s.verified++
}

// end stops the capture, and holds all accounts against each other.
func (s *soaked) end() {
	s.t.Helper()
	if code := s.proc.end(syscall.SIGTERM); code != exitDone {
		s.t.Errorf("exit code %d", code)
	}
	s.verify(true)
	text := s.text()
	summary := fmt.Sprintf("\n%d packets captured\n%[1]d packets received by filter\n0 packets dropped by kernel\n", s.total)
	if s.verified != s.total || !strings.Contains(text, summary) {
		s.t.Errorf("%d of %d packets verified; icap says\n%s", s.verified, s.total, text[max(0, len(text)-2000):])
	}
	if left := len(members(s.t, s.dir)); left != 0 {
		s.t.Errorf("%d files are left", left)
	}
	s.leaks()
}

// leaks compares what the process and its helper had early and at the end, when
// the same pods and interfaces were there.
func (s *soaked) leaks() {
	s.t.Helper()
	if len(s.helper) != len(s.usage) {
		s.t.Errorf("the helper was there %d times of %d", len(s.helper), len(s.usage))
		return
	}
	for _, all := range [][]usage{s.usage, s.helper} {
		s.leak(all)
	}
}

func (s *soaked) leak(all []usage) {
	s.t.Helper()
	early, last := all[min(1, len(all)-1)], all[len(all)-1]
	// Threads are never given back by Go; a few more for a moment of many
	// system calls stay. A pod or an interface that has come leaves its
	// statistics behind, and its place in the header of every later file, which
	// is some KiB.
	const moreThreads, moreGoroutines = 8, 4
	moreMemory := 16<<10 + len(all)*24
	if last.descriptors > early.descriptors+2 || last.namespaces > early.namespaces || last.threads > early.threads+moreThreads ||
		last.goroutines > early.goroutines+moreGoroutines || last.rss > early.rss+moreMemory {
		s.t.Errorf("leak: at first %s, at last %s", early, last)
	}
}
