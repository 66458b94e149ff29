package socktrace

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

const (
	stateEstablished = 1
	stateFinWait1    = 4
)

// begin traces the sockets of a new namespace.
func begin(t *testing.T) (ns *nsswitch.NS, records func() []Record) {
	t.Helper()
	labtest.Need(t)
	ns = labtest.Namespace(t)
	trace, err := Open([]uint64{1, ns.ID().Inode})
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan []Record)
	go func() {
		var list []Record
		for {
			r, err := trace.Next()
			if err != nil {
				if !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				all <- list
				return
			}
			list = append(list, r)
		}
	}()
	return ns, func() []Record {
		time.Sleep(100 * time.Millisecond) // for the reader to see the last ones
		if err := trace.Close(); err != nil {
			t.Error(err)
		}
		return <-all
	}
}

// in runs a function that makes sockets in a namespace.
func in(t *testing.T, ns *nsswitch.NS, f func() error) {
	t.Helper()
	if err := ns.Do(f); err != nil {
		t.Fatal(err)
	}
}

// pair connects to a listener in the namespace. A mapped client has a socket
// of IPv6 for an address of IPv4.
func pair(t *testing.T, ns *nsswitch.NS, host string, mapped bool) (client, server *net.TCPConn) {
	t.Helper()
	in(t, ns, func() error {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return err
		}
		defer l.Close()
		to := l.Addr().(*net.TCPAddr).AddrPort()
		if mapped {
			client, err = dialMapped(to)
		} else {
			client, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
		}
		if err != nil {
			return err
		}
		c, err := l.Accept()
		if err == nil {
			server = c.(*net.TCPConn)
		}
		return err
	})
	return client, server
}

func dialMapped(to netip.AddrPort) (*net.TCPConn, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "mapped")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

func ends(c *net.TCPConn) (local, remote netip.AddrPort) {
	unmap := func(a net.Addr) netip.AddrPort {
		p := a.(*net.TCPAddr).AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return unmap(c.LocalAddr()), unmap(c.RemoteAddr())
}

// TestTrace makes sockets do what is traced, in every family.
func TestTrace(t *testing.T) {
	for _, test := range []struct {
		host   string
		mapped bool
	}{{"127.0.0.1", false}, {"::1", false}, {"127.0.0.1", true}} {
		ns, records := begin(t)
		client, server := pair(t, ns, test.host, test.mapped)
		local, remote := ends(client)
		if _, err := client.Write([]byte("unread")); err != nil {
			t.Fatal(err)
		}
		awaitReadable(t, server)
		before := time.Now()
		server.Close()
		client.Close()

		lingering, other := pair(t, ns, test.host, test.mapped)
		lingerLocal, lingerRemote := ends(lingering)
		if err := lingering.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		lingering.Close()
		other.Close()

		closing, last := pair(t, ns, test.host, test.mapped)
		closeLocal, closeRemote := ends(closing)
		closing.Close()
		last.Close()

		nobody := netip.AddrPortFrom(netip.MustParseAddr(test.host), 9)
		in(t, ns, func() error {
			if _, err := net.Dial("tcp", nobody.String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("connect to nobody: %v", err)
			}
			return nil
		})
		all := records()
		inode := uint32(ns.ID().Inode)
		for _, want := range []struct {
			what  string
			match func(Record) bool
		}{
			{"the client connects", func(r Record) bool {
				return r.Kind == State && r.Local.Port() == local.Port() && r.Remote == remote && r.New == stateSynSent && own(r)
			}},
			{"the server closes with unread data", func(r Record) bool {
				return r.Kind == Sent && r.Local == remote && r.Remote == local && r.Reason == "TCP_ABORT_ON_CLOSE" && own(r)
			}},
			{"the client gets the RST", func(r Record) bool {
				return r.Kind == Received && r.Local == local && r.Remote == remote && r.PID == 0 && r.HasUID
			}},
			{"the client does not linger", func(r Record) bool {
				return r.Kind == Sent && r.Local == lingerLocal && r.Remote == lingerRemote && r.Reason != "" && own(r)
			}},
			{"the client closes", func(r Record) bool {
				return r.Kind == State && r.Local == closeLocal && r.Remote == closeRemote &&
					r.Old == stateEstablished && r.New == stateFinWait1 && own(r)
			}},
			{"nobody listens", func(r Record) bool {
				return r.Kind == Sent && r.Local == nobody && r.Reason == "NO_SOCKET" && r.PID == 0 && !r.HasUID
			}},
		} {
			found := 0
			for _, r := range all {
				if want.match(r) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s, mapped %v: %s %d times in\n%+v", test.host, test.mapped, want.what, found, all)
			}
		}
		for _, r := range all {
			if r.Netns != inode || r.Time < before.Add(-time.Minute).UnixNano() || r.Time > time.Now().UnixNano() {
				t.Errorf("%+v is of another namespace than %d, or another time", r, inode)
			}
		}
	}
}

// own reports whether a record is of this process.
func own(r Record) bool {
	return r.PID == os.Getpid() && r.TID != 0 && r.Command != "" && r.HasUID && r.UID == uint32(os.Getuid())
}

// awaitReadable waits until a socket has data.
func awaitReadable(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err == nil && n > 0
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTraceOfOthers makes a connection in a namespace that is not traced.
func TestTraceOfOthers(t *testing.T) {
	_, records := begin(t)
	elsewhere := labtest.Namespace(t)
	client, server := pair(t, elsewhere, "127.0.0.1", false)
	client.Close()
	server.Close()
	if all := records(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

// TestTraceWithoutPrivilege lets a thread go without.
func TestTraceWithoutPrivilege(t *testing.T) {
	labtest.Need(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		runtime.LockOSThread() // and never unlock it: the thread ends
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			cancel(err)
			return
		}
		_, err := Open([]uint64{1})
		cancel(err)
	}()
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("without a privilege: %v", err)
	}
}
