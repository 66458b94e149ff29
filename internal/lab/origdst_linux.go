package lab

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// originalDst asks the kernel whom a redirected connection was meant for. On
// one that was not redirected it is the local address.
func originalDst(c *net.TCPConn) (netip.AddrPort, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	option := originalDst4
	if addrPort(c.LocalAddr()).Addr().Is6() {
		option = originalDst6
	}
	var (
		to    netip.AddrPort
		errno error
	)
	err = raw.Control(func(fd uintptr) { to, errno = option(int(fd)) })
	if err := errors.Join(err, os.NewSyscallError("getsockopt SO_ORIGINAL_DST", errno)); err != nil {
		return netip.AddrPort{}, err
	}
	return to, nil
}

// originalDst4 gets a struct sockaddr_in: family, port, address. The option
// that it borrows the Go wrapper of returns as many bytes, and four more.
func originalDst4(fd int) (netip.AddrPort, error) {
	m, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, unix.SO_ORIGINAL_DST)
	if err != nil {
		return netip.AddrPort{}, err
	}
	b := m.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])),
		binary.BigEndian.Uint16(b[2:4])), nil
}

// originalDst6 gets a struct sockaddr_in6, with which the struct of the
// borrowed option begins. The port is in network byte order.
func originalDst6(fd int) (netip.AddrPort, error) {
	m, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, unix.SO_ORIGINAL_DST)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := binary.NativeEndian.AppendUint16(nil, m.Addr.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(m.Addr.Addr),
		binary.BigEndian.Uint16(port)), nil
}
