package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// A socketer makes the sockets of a stand-in and reports them. The zero value
// makes ordinary ones and keeps them to itself.
type socketer struct {
	ns     *nsswitch.NS // ns is where sockets are made, nil for here.
	mark   int          // mark is SO_MARK of all sockets.
	bare   bool         // bare leaves it out for listeners.
	report func(Socket)
}

// say reports a socket, if anybody wants to know.
func (k socketer) say(s Socket) {
	if k.report != nil {
		k.report(s)
	}
}

// A target says how to connect.
type target struct {
	use     Use
	proto   string // proto is TCP if empty.
	to      netip.AddrPort
	from    netip.AddrPort // from may be invalid, or have port 0.
	foreign bool           // foreign means that from is no own address.
	mark    int            // mark is in place of the socketer's.
	query   uint16
	timeout time.Duration // timeout is dialTimeout if zero.
}

// dial connects and reports the socket, also one that fails: it has got its
// address by then.
func (k socketer) dial(t target) (net.Conn, error) {
	c, s, err := k.connect(t)
	if s.Local.IsValid() {
		k.say(s)
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: s.Proto, Addr: net.TCPAddrFromAddrPort(t.to), Err: err}
	}
	return c, nil
}

func (k socketer) connect(t target) (net.Conn, Socket, error) {
	s := Socket{Use: t.use, Proto: TCP, Remote: t.to, Mark: k.mark, Query: t.query}
	kind := unix.SOCK_STREAM
	if t.proto == UDP {
		s.Proto, kind = UDP, unix.SOCK_DGRAM
	}
	if t.mark != 0 {
		s.Mark = t.mark
	}
	f, err := k.open(t.to.Addr(), kind, s.Mark, t.foreign)
	if err != nil {
		return nil, s, err
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, s, err
	}
	err = control(raw.Control, func(fd int) error {
		if t.from.IsValid() {
			if err := bind(fd, t.from); err != nil {
				return err
			}
		}
		err := unix.Connect(fd, sockaddr(t.to))
		s.Local = localAddr(fd)
		if err != nil && !errors.Is(err, unix.EINPROGRESS) {
			return os.NewSyscallError("connect", err)
		}
		return nil
	})
	if err != nil {
		return nil, s, err
	}
	if err := awaitConnected(f, raw.Write, t.timeout); err != nil {
		return nil, s, err
	}
	c, err := net.FileConn(f)
	return c, s, err
}

// awaitConnected waits for the end of the handshake.
func awaitConnected(f *os.File, write func(func(uintptr) bool) error, timeout time.Duration) error {
	if timeout == 0 {
		timeout = dialTimeout
	}
	if err := f.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	var failed error
	err := write(func(fd uintptr) bool {
		n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && n != 0 {
			err = unix.Errno(n)
		}
		if err == nil {
			_, err = unix.Getpeername(int(fd))
			if errors.Is(err, unix.ENOTCONN) {
				return false
			}
		}
		failed = os.NewSyscallError("connect", err)
		return true
	})
	return errors.Join(err, failed)
}

// listen opens a TCP listener.
func (k socketer) listen(at netip.AddrPort, foreign bool) (net.Listener, error) {
	mark := k.mark
	if k.bare {
		mark = 0
	}
	f, err := k.open(at.Addr(), unix.SOCK_STREAM, mark, foreign)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	err = control(raw.Control, func(fd int) error {
		if err := bind(fd, at); err != nil {
			return err
		}
		return os.NewSyscallError("listen", unix.Listen(fd, unix.SOMAXCONN))
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	return net.FileListener(f)
}

// packets opens a UDP socket that anybody can send to.
func (k socketer) packets(at netip.AddrPort) (*net.UDPConn, error) {
	f, err := k.open(at.Addr(), unix.SOCK_DGRAM, k.mark, false)
	if err != nil {
		return nil, fmt.Errorf("listen on udp %s: %w", at, err)
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := control(raw.Control, func(fd int) error { return bind(fd, at) }); err != nil {
		return nil, fmt.Errorf("listen on udp %s: %w", at, err)
	}
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// open makes a socket, in the namespace where sockets belong.
func (k socketer) open(a netip.Addr, kind, mark int, foreign bool) (*os.File, error) {
	family := unix.AF_INET
	if a.Is6() {
		family = unix.AF_INET6
	}
	fd := -1
	open := func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return os.NewSyscallError("socket", err)
	}
	var err error
	if k.ns != nil {
		err = k.ns.Do(open)
	} else {
		err = open()
	}
	if err != nil {
		return nil, err
	}
	if err := setOptions(fd, family, kind, mark, foreign); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// setOptions makes a socket fit for its part. Those that bear a client's
// address, or get connections for anybody's, are transparent.
func setOptions(fd, family, kind, mark int, foreign bool) error {
	type option struct{ level, name, value int }
	options := []option{{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1}}
	if kind == unix.SOCK_STREAM {
		options = append(options, option{unix.SOL_TCP, unix.TCP_NODELAY, 1})
	}
	if family == unix.AF_INET6 {
		options = append(options, option{unix.SOL_IPV6, unix.IPV6_V6ONLY, 1})
	}
	if mark != 0 {
		options = append(options, option{unix.SOL_SOCKET, unix.SO_MARK, mark})
	}
	switch {
	case foreign && family == unix.AF_INET6:
		options = append(options, option{unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1})
	case foreign:
		options = append(options, option{unix.SOL_IP, unix.IP_TRANSPARENT, 1})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("setsockopt %d of level %d: %w", o.name, o.level, err)
		}
	}
	return nil
}

func control(do func(func(uintptr)) error, fn func(fd int) error) error {
	var failed error
	err := do(func(fd uintptr) { failed = fn(int(fd)) })
	return errors.Join(err, failed)
}

func bind(fd int, to netip.AddrPort) error {
	return os.NewSyscallError("bind", unix.Bind(fd, sockaddr(to)))
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// localAddr is a socket's own address, invalid if it has none yet.
func localAddr(fd int) netip.AddrPort {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// accepted describes an accepted connection.
func accepted(use Use, c net.Conn) Socket {
	s := Socket{Use: use, Proto: TCP, Accepted: true, Local: addrPort(c.LocalAddr()), Remote: addrPort(c.RemoteAddr())}
	s.Original = s.Local
	t, ok := c.(*net.TCPConn)
	if !ok {
		return s
	}
	if to, err := originalDst(t); err == nil {
		s.Original = to
	}
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			s.Mark, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK)
		})
	}
	return s
}

// A reporter is a listener that reports what it accepts.
type reporter struct {
	net.Listener
	use Use
	k   socketer
}

// Accept waits for a connection and reports it.
func (r reporter) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err == nil {
		r.k.say(accepted(r.use, c))
	}
	return c, err
}
