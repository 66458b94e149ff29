package main

import (
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"icap/internal/kernel"
	"icap/nsswitch"
)

// findOwnStreams finds out through which TCP connections a file leaves: its own
// if it is a socket, else those of the processes that read from it, such as
// sshd, ssh or nc.
func findOwnStreams(f *os.File, proc string) []ownStream {
	here, err := nsswitch.Current()
	if err != nil {
		return nil
	}
	defer here.Close()
	st, err := f.Stat()
	if err != nil {
		return nil
	}
	var readers []kernel.Process
	switch st.Mode() & (os.ModeSocket | os.ModeNamedPipe) {
	case os.ModeSocket:
		if local, remote, ok := tcpEnds(int(f.Fd())); ok {
			return []ownStream{{here.ID(), streamExpr(local, remote), "standard output"}}
		}
		// The peer of a pair is who made it.
		if cred, err := unix.GetsockoptUcred(int(f.Fd()), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil && cred.Pid > 0 {
			readers = []kernel.Process{{PID: int(cred.Pid), Command: kernel.Command(proc, int(cred.Pid))}}
		}
	case os.ModeNamedPipe:
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			readers, _ = kernel.PipeReaders(proc, sys.Ino) // who may not be seen cannot be spared
		}
	default:
		return nil
	}
	var own []ownStream
	for _, p := range readers {
		if p.PID != os.Getpid() {
			own = append(own, ofReader(proc, p)...)
		}
	}
	if len(readers) == 0 {
		own = ofSSH(os.Getenv("SSH_CONNECTION"), here.ID())
	}
	return own
}

// tcpEnds are the addresses of a socket, if it is one of TCP.
func tcpEnds(fd int) (local, remote netip.AddrPort, ok bool) {
	if typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || typ != unix.SOCK_STREAM {
		return local, remote, false
	}
	l, lerr := unix.Getsockname(fd)
	r, rerr := unix.Getpeername(fd)
	if lerr != nil || rerr != nil {
		return local, remote, false
	}
	local, lok := addrPort(l)
	remote, rok := addrPort(r)
	return local, remote, lok && rok
}

func addrPort(sa unix.Sockaddr) (netip.AddrPort, bool) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), true
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), true
	}
	return netip.AddrPort{}, false
}
