package afpacket

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func openSocket(c Config) (*os.File, error) {
	c, err := c.withDefaults(os.Getpagesize())
	if err != nil {
		return nil, fmt.Errorf("open socket on %q: %w", c.Interface, err)
	}
	f, err := listen(&c)
	if err == nil && c.locks() {
		if err = lock(f); err != nil {
			err = errors.Join(fmt.Errorf("lock filter: %w", err), f.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open socket on %q: %w", c.Interface, err)
	}
	return f, nil
}

// listen makes a socket of a Config with all defaults.
func listen(c *Config) (*os.File, error) {
	ifi, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return nil, err
	}
	filter, ignoreOutgoing := c.directed(ifi.Flags&net.FlagLoopback != 0)
	if err := checkLength(filter); err != nil {
		return nil, err
	}
	conn, err := packet.Listen(ifi, packet.Raw, 0, &packet.Config{Filter: filter})
	if err != nil {
		return nil, explain(err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var f *os.File
	cerr := raw.Control(func(fd uintptr) {
		if ignoreOutgoing {
			if err = c.ignoreOutgoing(int(fd)); err != nil {
				return
			}
		}
		var own int
		if own, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			f = os.NewFile(uintptr(own), "packet socket")
		}
	})
	return f, errors.Join(err, cerr)
}

// directed returns the filter for the wanted direction, and whether the
// kernel shall leave outgoing packets out before the filter sees them. It does
// not do so in a group, where the filter has to.
func (c *Config) directed(loopback bool) (filter []bpf.RawInstruction, ignoreOutgoing bool) {
	switch {
	case c.Direction == Out:
		return onlyOutgoing(c.Filter), false
	case c.Direction != In && !loopback:
		return c.Filter, false
	case c.Group != nil:
		return noOutgoing(c.Filter), false
	default:
		return c.Filter, true
	}
}

// ignoreOutgoing asks for PACKET_IGNORE_OUTGOING, and has the filter do it on
// kernels before 4.20.
func (c *Config) ignoreOutgoing(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if !errors.Is(err, unix.ENOPROTOOPT) {
		return os.NewSyscallError("setsockopt PACKET_IGNORE_OUTGOING", err)
	}
	filter := noOutgoing(c.Filter)
	if err := checkLength(filter); err != nil {
		return err
	}
	return attach(fd, filter)
}

// attach makes a program the filter of a socket.
func attach(fd int, filter []bpf.RawInstruction) error {
	prog := make([]unix.SockFilter, len(filter))
	for i, in := range filter {
		prog[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]})
	return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
}

// lock makes the kernel refuse any other filter.
func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno error
	err = raw.Control(func(fd uintptr) { errno = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1) })
	return errors.Join(err, os.NewSyscallError("setsockopt SO_LOCK_FILTER", errno))
}

// bindingOf is the interface that a socket is bound to.
func bindingOf(f *os.File) (at *unix.SockaddrLinklayer, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) {
		var sa unix.Sockaddr
		if sa, err = unix.Getsockname(int(fd)); err != nil {
			err = os.NewSyscallError("getsockname", err)
			return
		}
		var ok bool
		if at, ok = sa.(*unix.SockaddrLinklayer); !ok {
			err = errors.New("not a packet socket")
		}
	})
	return at, errors.Join(err, cerr)
}

// maxFilter is BPF_MAXINSNS of linux/bpf_common.h.
const maxFilter = 4096

// checkLength refuses what the kernel would refuse with EINVAL, or, as it
// counts in 16 bits, mistake for a shorter program.
func checkLength(filter []bpf.RawInstruction) error {
	if len(filter) > maxFilter {
		return fmt.Errorf("%w: %d instructions, more than %d", ErrFilterTooLong, len(filter), maxFilter)
	}
	return nil
}

// explain names the capability whose lack makes the kernel refuse a packet
// socket, and the limit behind its ENOMEM for a filter.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w (needs CAP_NET_RAW)", err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w (net.core.optmem_max): %w", ErrFilterTooLong, err)
	}
	return err
}
