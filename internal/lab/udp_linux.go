package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

func sendUDP(ns *nsswitch.NS, to netip.AddrPort, n, size int) (sent int, err error) {
	err = ns.Do(func() error {
		sent, err = burst(to, n, size)
		return err
	})
	if err != nil {
		return sent, fmt.Errorf("send UDP from %s to %s: %w", ns, to, err)
	}
	return sent, nil
}

// burst sends by plain system calls: the sockets of package net are made on
// whatever thread, and so in whatever namespace.
func burst(to netip.AddrPort, n, size int) (int, error) {
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{
		Addr: to.Addr().As16(), Port: int(to.Port()),
	})
	if to.Addr().Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{
			Addr: to.Addr().As4(), Port: int(to.Port()),
		}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	timeout := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	payload := make([]byte, size)
	for i := range n {
		if size >= 4 {
			binary.BigEndian.PutUint32(payload, uint32(i))
		}
		if err := unix.Sendto(fd, payload, 0, sa); err != nil {
			return i, os.NewSyscallError("sendto", err)
		}
	}
	return n, nil
}
