package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// A faultRow is one row of the table.
type faultRow struct {
	id, what string
	// quick rows are in every test run, for icap alone.
	quick bool
	run   func(s *scene)
}

// faultRows are all rows that a machine with root can produce.
var faultRows = []faultRow{
	{"F01", "output disk full", false, func(s *scene) {
		s.file = filepath.Join(tmpfs(s.T, "1m"), "out.pcapng")
		s.begin()
		s.packets(4000, 1000)
		s.wants = wants{code: exitFault, said: "no space left"}
		s.finish(0)
	}},
	{"F02", "reader of standard output dies", false, func(s *scene) {
		r, w, err := os.Pipe()
		s.must(err)
		cmd := s.command("-")
		cmd.Stdout = w
		s.start(cmd, strings.Replace(s.marker(), "File: ", "Capturing on", 1))
		w.Close()
		s.packets(40, 200)
		_, err = io.ReadFull(r, make([]byte, 500))
		s.must(err)
		s.must(r.Close())
		s.packets(200, 200)
		s.wants = wants{code: exitFault, said: "broken pipe", torn: true}
		s.finish(0)
	}},
	{"F03", "named pipe: SIGTERM before there is a reader", false, func(s *scene) {
		s.must(unix.Mkfifo(s.file, 0o600))
		s.launch(s.command(s.file))
		if s.icap() {
			s.await("waiting for a reader")
		}
		s.wants = wants{code: exitFailed, refuses: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F03b", "named pipe: the reader comes late and dies early", true, func(s *scene) {
		s.must(unix.Mkfifo(s.file, 0o600))
		s.launch(s.command(s.file))
		if s.icap() {
			s.await("waiting for a reader")
		}
		r, err := os.Open(s.file)
		s.must(err)
		s.onWire()
		s.packets(20, 200)
		_, err = io.ReadFull(r, make([]byte, 300))
		s.must(err)
		s.must(r.Close())
		s.packets(200, 200)
		s.wants = wants{code: exitFault, said: "broken pipe", torn: true}
		s.finish(0)
	}},
	{"F04", "interface down for a second, and up again", true, func(s *scene) {
		s.begin()
		s.packets(100, 200)
		s.settle()
		labtest.WithLink(s.T, s.b, "vb", netlink.LinkSetDown)
		time.Sleep(time.Second)
		labtest.WithLink(s.T, s.b, "vb", netlink.LinkSetUp)
		s.carrier()
		s.packets(100, 200)
		s.settle()
		s.wants = wants{all: true, said: "is down"}
		s.finish(syscall.SIGTERM)
	}},
	{"F05", "interface deleted", false, func(s *scene) {
		s.begin()
		s.packets(10, 200)
		s.settle()
		labtest.WithLink(s.T, s.a, "va", netlink.LinkDel)
		s.wants = wants{code: exitFault, said: "interface is gone", all: true}
		s.finish(0)
	}},
	{"F05b", "interface deleted right after a burst of 1000", false, func(s *scene) {
		s.begin()
		s.packets(1000, 200)
		labtest.WithLink(s.T, s.a, "va", netlink.LinkDel)
		s.wants = wants{code: exitFault, said: "interface is gone", all: true}
		s.finish(0)
	}},
	{"F06", "`-i any`: one of the interfaces is deleted", true, func(s *scene) {
		s.second()
		s.iface = "any"
		s.begin()
		s.packets(50, 200)
		s.settle()
		labtest.WithLink(s.T, s.a, "wa", netlink.LinkDel)
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true, said: "interface is gone"}
		s.finish(syscall.SIGTERM)
	}},
	{"F06b", "interface renamed while it is captured", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		labtest.WithLink(s.T, s.b, "vb", func(l netlink.Link) error { return netlink.LinkSetName(l, "vc") })
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F06c", "`-i any`: an interface comes", true, func(s *scene) {
		s.iface = "any"
		s.begin()
		s.packets(50, 200)
		s.second()
		if s.icap() {
			s.await("wb@")
		}
		n, err := lab.SendUDP(s.a, netip.MustParseAddrPort("10.10.0.2:9"), 50, 100)
		s.must(err)
		s.outcome.sent += n
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F07", "name of the namespace removed", true, func(s *scene) {
		ns, name, err := lab.NewOwned("fault")
		s.must(err)
		defer ns.Close()
		labtest.Veth(s.T, s.a, "na", ns, "nb", netip.MustParsePrefix("10.8.0.1/24"), netip.MustParsePrefix("10.8.0.2/24"))
		s.iface, s.b = "nb", ns
		s.begin()
		s.must(lab.RemoveNamespace(name))
		n, err := lab.SendUDP(s.a, netip.MustParseAddrPort("10.8.0.2:9"), 20, 100)
		s.must(err)
		s.outcome.sent = n
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F08", "SIGTERM under load", false, func(s *scene) { s.signal(syscall.SIGTERM) }},
	{"F08i", "SIGINT under load", true, func(s *scene) { s.signal(syscall.SIGINT) }},
	{"F08h", "SIGHUP under load", true, func(s *scene) { s.signal(syscall.SIGHUP) }},
	{"F08q", "SIGQUIT under load", true, func(s *scene) { s.signal(syscall.SIGQUIT) }},
	{"F08b", "SIGTERM right after a burst of 2000", false, func(s *scene) {
		s.begin()
		s.packets(2000, 200)
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F08u", "SIGUSR1 under load", true, func(s *scene) { s.asked(syscall.SIGUSR1) }},
	{"F08v", "SIGUSR2 under load", true, func(s *scene) { s.asked(syscall.SIGUSR2) }},
	{"F08k", "SIGKILL a second after the last of 3000 packets", true, func(s *scene) {
		s.begin()
		s.paced(3000, 200, 10000)
		time.Sleep(time.Second)
		s.wants = wants{code: -1, torn: true}
		s.finish(syscall.SIGKILL)
		if s.icap() && s.outcome.readable != 3000 {
			s.Errorf("%d of 3000 readable", s.outcome.readable)
		}
	}},
	{"F09", "program stopped for 2 s at 40,000 packets/s", false, func(s *scene) {
		s.begin()
		s.must(s.proc.Process.Signal(syscall.SIGSTOP))
		s.paced(80000, 200, 40000)
		s.must(s.proc.Process.Signal(syscall.SIGCONT))
		s.paced(10000, 200, 20000)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F10", "a million packets of 8 bytes at full speed", false, func(s *scene) {
		s.begin()
		s.packets(1000000, 8)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F11", "GSO frames, TCP over IPv4", false, func(s *scene) {
		s.expr = "tcp"
		s.begin()
		s.transfer(unix.AF_INET)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F11b", "BIG TCP frames, over IPv6", true, func(s *scene) {
		s.expr = "ip6" // a frame with a jumbo payload begins with options, not with TCP
		s.bigTCP()
		s.begin()
		s.transfer(unix.AF_INET6)
		s.settle()
		s.finish(syscall.SIGTERM)
		if s.icap() && !strings.Contains(s.outcome.note, "largest frame 1") {
			s.Errorf("no frame beyond 100 kB: %s", s.outcome.note)
		}
	}},
	{"F13", "becomes nobody (`-Z`), output directory of root's", true, func(s *scene) {
		s.becomesNobody()
		s.begin("-Z", "nobody")
		s.packets(100, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F14", "output directory missing", false, func(s *scene) {
		s.wants = wants{code: exitFailed, said: "no such file"}
		s.refused(s.command(s.dir + "/no/out.pcapng"))
	}},
	{"F15", "no such interface", false, func(s *scene) {
		s.iface = "nope0"
		s.wants = wants{code: exitFailed, said: `"vb"`}
		s.refused(s.command(s.file))
	}},
	{"F16", "filter with an error", false, func(s *scene) {
		s.expr = "tcp prot 80"
		s.wants = wants{code: exitUsage, said: "^~~~"}
		s.refused(s.command(s.file))
	}},
	{"F17", "no capability", false, func(s *scene) {
		s.before = []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
		s.wants = wants{code: exitPrivilege, said: "CAP_"}
		s.refused(s.command(s.file))
	}},
	{"F18", "output path is a symbolic link", false, func(s *scene) {
		s.must(os.Symlink(filepath.Join(s.dir, "target"), s.file))
		s.wants = wants{code: exitFailed, said: s.file}
		s.once(func() string {
			if _, err := os.Stat(filepath.Join(s.dir, "target")); err == nil {
				return "follows it"
			}
			return ""
		})
	}},
	{"F19", "output file exists", false, func(s *scene) {
		s.must(os.WriteFile(s.file, []byte("precious"), 0o600))
		s.wants = wants{code: exitFailed, said: "--force", torn: true}
		s.once(func() string {
			if b, _ := os.ReadFile(s.file); string(b) != "precious" {
				return "overwrites it"
			}
			return "leaves it alone"
		})
	}},
	{"F20", "output removed while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.written()
		s.must(os.Remove(s.file))
		s.packets(50, 200)
		s.wants = wants{code: exitFault, said: "removed"}
		s.finish(0)
	}},
	{"F21", "output truncated while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.written()
		s.must(os.Truncate(s.file, 0))
		s.packets(50, 200)
		s.wants = wants{code: exitFault, said: "truncated", torn: true}
		s.finish(0)
		s.outcome.readable = -1 // what was captured before is not in the file any more
	}},
	{"F21b", "output renamed while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.must(os.Rename(s.file, s.file+".old"))
		s.file += ".old"
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F22", "limit of the size of files (RLIMIT_FSIZE)", true, func(s *scene) {
		s.before = []string{"prlimit", "--fsize=200000"}
		s.begin()
		s.packets(1000, 1000)
		s.wants = wants{code: exitFault, said: "file too large"}
		s.finish(0)
	}},
	{"F23", "ring larger than memory", true, func(s *scene) {
		size := map[string]string{"icap": "40g", "tcpdump": "40000000", "dumpcap": "40000"}[s.program]
		s.wants = wants{code: exitUsage, said: "memory available"}
		s.refused(s.command(s.file, "-B", size))
	}},
	{"F24", "ring of files: 3 of 1 MB, 8 MB of packets", false, func(s *scene) {
		args := []string{"-C", "1", "-W", "3"}
		if s.program == "dumpcap" {
			args = []string{"-b", "filesize:1000", "-b", "files:3"}
		}
		s.begin(args...)
		s.paced(8000, 1000, 20000)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		s.series = true
		s.read()
		s.outcome.note = fmt.Sprintf("the last %d in the files", s.outcome.readable)
		s.outcome.readable = -1
	}},
	{"F25", "rotation without an inode left", false, func(s *scene) {
		s.dir = tmpfs(s.T, "64m,nr_inodes=3")
		s.file, s.series = filepath.Join(s.dir, "out"), true
		args := []string{"-C", "1"}
		if s.program == "dumpcap" {
			args = []string{"-b", "filesize:1000"}
		}
		s.begin(args...)
		s.paced(8000, 1000, 20000)
		s.wants = wants{code: exitFault, said: "no space left"}
		s.finish(0)
	}},
	{"F26", "no packet at all", true, func(s *scene) {
		s.begin()
		s.wants = wants{said: "no packet matched"}
		s.finish(syscall.SIGTERM)
	}},
	{"F27", "interface with ESC in its name", true, func(s *scene) {
		labtest.WithLink(s.T, s.b, "vb", func(l netlink.Link) error { return netlink.LinkSetName(l, "v\x1b[1mb") })
		s.iface = "v\x1b[1mb"
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		if strings.Contains(s.proc.text(), "\x1b") {
			s.outcome.note = "ESC reaches the terminal"
			if s.icap() {
				s.Error(s.outcome.note)
			}
		}
	}},
	{"F28", "shell's metacharacters in the name of the file", true, func(s *scene) {
		s.file = filepath.Join(s.dir, "$(touch pwn);x.pcapng")
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		if _, err := os.Stat(filepath.Join(s.dir, "pwn")); err == nil {
			s.Error("a shell read the name")
		}
	}},
	{"F29", "no descriptor left", true, func(s *scene) {
		s.before = []string{"prlimit", "--nofile=5"}
		s.wants = wants{code: exitFailed, said: "too many open files"}
		s.refused(s.command(s.file))
	}},
	{"F30", "disk dies while it is written (ext4, shut down)", false, func(s *scene) {
		disk := s.disk()
		s.file = filepath.Join(disk, "out.pcapng")
		s.begin()
		s.packets(1000, 1000)
		s.settle()
		s.shutDown(disk)
		s.file = filepath.Join(s.dir, "nothing") // there is nothing to read any more
		s.packets(3000, 1000)
		s.wants = wants{code: exitFault, said: "input/output error"}
		s.finish(0)
	}},
	{"F31", "becomes nobody (`-Z`), rotation in root's directory", true, func(s *scene) {
		s.becomesNobody()
		s.file, s.series = filepath.Join(s.dir, "out"), true
		s.wants = wants{all: true}
		s.launch(s.command(s.file, "-Z", "nobody", "-C", "1"))
		if !s.icap() {
			s.finish(0) // it ends by itself
			return
		}
		s.await(listening)
		s.packets(4000, 1000)
		s.finish(syscall.SIGTERM)
	}},
	{"F32", "ring cannot be mapped (RLIMIT_AS)", false, func(s *scene) {
		if s.icap() {
			s.before = []string{"prlimit", "--as=2000000000"}
			s.begin("-B", "1800m")
			s.wants = wants{said: "memory is short"}
			s.finish(syscall.SIGTERM)
			return
		}
		s.before = []string{"prlimit", "--as=500000000"}
		s.refused(s.command(s.file, "-B", map[string]string{"tcpdump": "1000000", "dumpcap": "1000"}[s.program]))
	}},
	{"F33", "standard output closed at the start", true, func(s *scene) {
		s.before = []string{"sh", "-c", `exec "$0" "$@" >&-`}
		s.wants = wants{code: exitUsage, said: "standard output is closed"}
		cmd := s.command("-")
		s.refused(cmd)
	}},
	{"F33b", "standard error closed: the file is whole all the same", true, func(s *scene) {
		s.before = []string{"sh", "-c", `exec "$0" "$@" 2>&-`}
		s.launch(s.command(s.file))
		s.onWire()
		s.packets(20, 100)
		s.settle()
		s.wants = wants{refuses: true} // it can tell no counts
		s.finish(syscall.SIGTERM)
		if s.icap() && s.outcome.readable != 20 {
			s.Errorf("%d of 20 packets in the file", s.outcome.readable)
		}
	}},
	{"F38", "threads left in the pod's namespace", true, func(s *scene) {
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		if s.icap() {
			s.foreignThreads()
		}
		s.finish(syscall.SIGTERM)
	}},
	{"F41", "standard output is a terminal", true, func(s *scene) {
		tty := s.terminal()
		cmd := s.command("-")
		cmd.Stdout = tty
		s.wants = wants{code: exitUsage, said: "terminal"}
		s.refused(cmd)
	}},
	{"F42", "reader of standard output stands still, then SIGTERM", false, func(s *scene) {
		r, w, err := os.Pipe()
		s.must(err)
		defer r.Close()
		cmd := s.command("-")
		cmd.Stdout = w
		s.start(cmd, strings.Replace(s.marker(), "File: ", "Capturing on", 1))
		w.Close()
		s.packets(20000, 1000)
		time.Sleep(500 * time.Millisecond)
		s.wants = wants{code: exitFault, torn: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F48", "cgroup with a memory limit of 64 MiB, full speed", true, func(s *scene) {
		s.memoryLimit(64 << 20)
		s.begin()
		s.packets(50000, 200)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F49", "CPU starved: nice 19 beside busy loops", false, func(s *scene) {
		s.busy()
		s.before = []string{"nice", "-n", "19"}
		s.begin()
		s.packets(100000, 200)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F51", "two captures to one file", true, func(s *scene) {
		first := *s
		first.begin()
		s.wants = wants{code: exitFailed, said: "another capture"}
		s.once(func() string { return "" }, map[bool]string{true: "--force"}[s.icap()])
		first.finish(syscall.SIGTERM)
		if first.icap() && first.outcome.warned {
			s.Error("the first capture's file is damaged")
		}
	}},
	{"F54", "`-s 64`", false, func(s *scene) {
		s.begin("-s", "64")
		s.packets(10, 500)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// await waits until the program says something.
func (s *scene) await(words string) {
	s.Helper()
	s.until(words, func() bool { return strings.Contains(s.proc.text(), words) })
}

// until waits for a condition.
func (s *scene) until(what string, met func() bool) {
	s.Helper()
	for end := time.Now().Add(5 * time.Second); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("in vain: %s\n%s", what, s.proc.text())
		}
	}
}

// written waits until there is more than a header in the file, which icap
// writes by itself.
func (s *scene) written() {
	if s.icap() {
		s.until("packets in the file", func() bool { st, err := os.Stat(s.file); return err == nil && st.Size() > 4000 })
	}
}

// carrier waits until the pair of interfaces carries packets again.
func (s *scene) carrier() {
	s.until("carrier", func() (up bool) {
		labtest.WithLink(s.T, s.a, "va", func(l netlink.Link) error {
			up = l.Attrs().OperState == netlink.OperUp
			return nil
		})
		return up
	})
}

// onWire waits until a packet socket is bound in the namespace.
func (s *scene) onWire() {
	s.until("a packet socket", func() (found bool) {
		s.must(s.b.Do(func() error {
			text, err := os.ReadFile("/proc/thread-self/net/packet")
			for line := range strings.Lines(string(text)) {
				f := strings.Fields(line)
				found = found || len(f) > 5 && f[3] == "0003" && f[5] == "1"
			}
			return err
		}))
		return found
	})
	time.Sleep(200 * time.Millisecond) // the others set their filter later
}

// second adds another pair of interfaces.
func (s *scene) second() {
	labtest.Veth(s.T, s.a, "wa", s.b, "wb", netip.MustParsePrefix("10.10.0.1/24"), netip.MustParsePrefix("10.10.0.2/24"))
}

// signal ends the program in the middle of packets.
func (s *scene) signal(sig syscall.Signal) {
	s.begin()
	s.paced(5000, 200, 10000)
	s.wants = wants{all: true}
	s.finish(sig)
}

// asked sends a signal that is no reason to end.
func (s *scene) asked(sig syscall.Signal) {
	s.begin()
	s.paced(2000, 200, 10000)
	s.must(s.proc.Process.Signal(sig))
	time.Sleep(100 * time.Millisecond)
	if s.proc.Process.Signal(syscall.Signal(0)) == nil {
		s.packets(10, 200)
		s.settle()
	}
	s.wants = wants{all: true}
	s.finish(syscall.SIGTERM)
}

// once runs a program that should refuse, and ends it if it does not.
func (s *scene) once(look func() string, args ...string) {
	if args = strings.Fields(strings.Join(args, " ")); s.icap() {
		s.refused(s.command(s.file, args...))
	} else {
		s.begin()
		s.finish(syscall.SIGTERM)
	}
	s.outcome.note = joined(s.outcome.note, look())
	s.outcome.readable = -1
}

// transfer sends 20 MB by TCP. The sockets are made by plain calls, so that
// they are in the right namespace.
func (s *scene) transfer(family int) {
	s.Helper()
	const port, size, buffer = 5001, 50 << 20, 4 << 20
	var at unix.Sockaddr = &unix.SockaddrInet4{Port: port, Addr: [4]byte{10, 9, 0, 2}}
	if family == unix.AF_INET6 {
		at = &unix.SockaddrInet6{Port: port, Addr: netip.MustParseAddr("fd99::2").As16()}
	}
	socket := func(ns *nsswitch.NS, use func(fd int) error) (fd int) {
		s.must(ns.Do(func() (err error) {
			if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
				return err
			}
			return errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, buffer),
				unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer), use(fd))
		}))
		s.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	server := socket(s.b, func(fd int) error {
		if err := unix.Bind(fd, at); err != nil {
			return err
		}
		return unix.Listen(fd, 1)
	})
	client := socket(s.a, func(fd int) error { return unix.Connect(fd, at) })
	conn, _, err := unix.Accept(server)
	s.must(err)
	defer unix.Close(conn)
	go func() {
		b := make([]byte, 1<<20)
		for sent := 0; sent < size; {
			n, err := unix.Write(client, b)
			if err != nil {
				return
			}
			sent += n
		}
		_ = unix.Shutdown(client, unix.SHUT_WR)
	}()
	b := make([]byte, 1<<20)
	for {
		n, err := unix.Read(conn, b)
		s.must(err)
		if n == 0 {
			return
		}
	}
}

// bigTCP lets TCP make frames of 190,000 bytes.
func (s *scene) bigTCP() {
	for _, end := range []struct {
		ns         *nsswitch.NS
		name, addr string
	}{{s.a, "va", "fd99::1/64"}, {s.b, "vb", "fd99::2/64"}} {
		for _, args := range [][]string{
			{"addr", "add", end.addr, "dev", end.name, "nodad"},
			{"link", "set", end.name, "gso_max_size", "190000", "gro_max_size", "190000"},
		} {
			cmd := exec.Command("ip", args...)
			var out []byte
			err := end.ns.Do(func() (err error) { out, err = cmd.CombinedOutput(); return err })
			if err != nil {
				s.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
}

// foreignThreads checks that no thread stands in the pod's namespace.
func (s *scene) foreignThreads() {
	var inside unix.Stat_t
	s.must(s.b.Do(func() error { return unix.Stat("/proc/thread-self/ns/net", &inside) }))
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/ns/net", s.proc.Process.Pid))
	if err != nil || len(tasks) == 0 {
		s.Fatalf("threads: %q, %v", tasks, err)
	}
	for _, task := range tasks {
		var st unix.Stat_t
		if unix.Stat(task, &st) == nil && st.Ino == inside.Ino {
			s.Errorf("%s is in the namespace", task)
		}
	}
}

// terminal is the far end of a pseudo-terminal.
func (s *scene) terminal() *os.File {
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	s.must(err)
	s.Cleanup(func() { near.Close() })
	s.must(unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	s.must(err)
	far, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	s.must(err)
	s.Cleanup(func() { far.Close() })
	return far
}

// memoryLimit puts the program into a cgroup of its own.
func (s *scene) memoryLimit(bytes int) {
	group := memoryGroup(s.T, bytes)
	s.limited("echo $$ >" + group + "/cgroup.procs")
}

// busy keeps all CPUs busy.
func (s *scene) busy() {
	for range 4 {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		s.must(cmd.Start())
		s.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
}

// becomesNobody makes the directory root's alone, for a program that can become
// another user.
func (s *scene) becomesNobody() {
	if s.program == "dumpcap" {
		s.Skip("it stays who it is")
	}
	s.must(os.Chmod(s.dir, 0o700))
}

// disk is a file system on a disk of its own.
func (s *scene) disk() string {
	return smallDisk(s.T)
}

// shutDown makes a file system of ext4 fail from now on.
func (s *scene) shutDown(dir string) {
	const shutdown, atOnce = 0x8004587d, 2 // EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
	d, err := os.Open(dir)
	s.must(err)
	defer d.Close()
	s.must(unix.IoctlSetPointerInt(int(d.Fd()), shutdown, atOnce))
}
