package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

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

// overflow stops icap, and has its netlink sockets told of more than they hold.
func (s *scene) overflow() {
	s.Helper()
	pid := s.proc.Process.Pid
	s.must(s.proc.Process.Signal(syscall.SIGSTOP))
	sockets := socketsOf(s.T, pid, unix.AF_NETLINK)
	for _, fd := range sockets {
		s.must(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1))
	}
	for i := range 40 {
		name := fmt.Sprintf("x%d", i)
		s.must(s.b.Do(func() error {
			link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "peer"}
			return errors.Join(netlink.LinkAdd(link), netlink.LinkDel(link))
		}))
	}
	lost := 0
	for _, fd := range sockets {
		lost += drops(s.T, fd)
	}
	if lost == 0 {
		s.Errorf("none of %d netlink sockets has overflowed", len(sockets))
	}
}

// drops is how much a socket was not told for want of room, by SO_MEMINFO.
func drops(t *testing.T, fd int) int {
	t.Helper()
	const places, lost = 9, 8 // SK_MEMINFO_VARS and SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [places]uint32
	n := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return int(info[lost])
}
