package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// forge resets a connection of productpage's proxy in the name of its peer.
func (l *Lab) forge(ctx context.Context, ttl uint8) error {
	return l.forgeTo(ctx, l.Outside, l.Outside, ttl)
}

// forgeTo does so with a connection to a destination, which the proxy connects
// to this peer for.
func (l *Lab) forgeTo(ctx context.Context, to, peer netip.AddrPort, ttl uint8) error {
	var tap int
	err := l.node.Do(func() (err error) {
		tap, err = overhear(bridge)
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(tap)
	s, err := l.Open(ctx, l.App, Request{To: to, Path: casePath})
	if err != nil {
		return err
	}
	rst, err := resetAfter(tap, peer, l.App.Addr)
	if err != nil {
		return err
	}
	rst[8] = ttl
	if err := l.node.Do(func() error { return sendRaw(rst, l.App.Addr) }); err != nil {
		return err
	}
	if _, err := s.Close(ctx, casePath); err == nil {
		return errors.New("the connection has survived a forged reset")
	}
	return nil
}

// overhear opens a packet socket that gets what a bridge forwards.
func overhear(link string) (int, error) {
	i, err := net.InterfaceByName(link)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	foreign := unix.PacketMreq{Ifindex: int32(i.Index), Type: unix.PACKET_MR_PROMISC}
	all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
	err = errors.Join(
		os.NewSyscallError("setsockopt", unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &foreign)),
		os.NewSyscallError("setsockopt", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})),
		os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index})))
	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// forgeTimeout bounds how long the numbers of a connection are waited for.
const forgeTimeout = 2 * time.Second

// resetAfter is an IPv4 packet with the RST that follows on what a server has
// sent last, as soon as it is silent.
func resetAfter(tap int, from netip.AddrPort, to netip.Addr) ([]byte, error) {
	var (
		rst []byte
		b   = make([]byte, 2048)
	)
	for end := time.Now().Add(forgeTimeout); time.Now().Before(end); {
		n, _, err := unix.Recvfrom(tap, b, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN && rst != nil:
			return rst, nil
		case err == unix.EAGAIN:
			continue
		case err != nil:
			return nil, os.NewSyscallError("recvfrom", err)
		}
		if p := answerTo(b[:n], from, to); p != nil {
			rst = p
		}
	}
	return nil, fmt.Errorf("nothing was heard from %s within %v", from, forgeTimeout)
}

// answerTo is the RST that follows on a frame with a segment of TCP over IPv4
// without options, nil on all other frames.
func answerTo(frame []byte, from netip.AddrPort, to netip.Addr) []byte {
	const etherLen, ipLen, tcpLen, flagSYN, flagFIN = 14, 20, 20, 2, 1
	if len(frame) < etherLen+ipLen+tcpLen || frame[12] != 8 || frame[13] != 0 || frame[14] != 0x45 || frame[23] != unix.IPPROTO_TCP {
		return nil
	}
	ip, tcp := frame[etherLen:], frame[etherLen+ipLen:]
	src := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:])), binary.BigEndian.Uint16(tcp))
	dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:])), binary.BigEndian.Uint16(tcp[2:]))
	if src != from || dst.Addr() != to {
		return nil
	}
	next := binary.BigEndian.Uint32(tcp[4:]) + uint32(binary.BigEndian.Uint16(ip[2:])) - ipLen - uint32(tcp[12]>>4)*4
	if tcp[13]&(flagSYN|flagFIN) != 0 {
		next++
	}
	return reset(src, dst, next)
}

// reset makes an IPv4 packet with a RST that shows no socket behind it.
func reset(src, dst netip.AddrPort, seq uint32) []byte {
	const ipLen, tcpLen, flagRST = 20, 20, 4
	b := make([]byte, ipLen+tcpLen)
	b[0], b[9] = 0x45, unix.IPPROTO_TCP
	binary.BigEndian.PutUint16(b[2:], ipLen+tcpLen)
	copy(b[12:], src.Addr().AsSlice())
	copy(b[16:], dst.Addr().AsSlice())
	tcp := b[ipLen:]
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], seq)
	tcp[12], tcp[13] = tcpLen/4<<4, flagRST
	sum := uint32(unix.IPPROTO_TCP + tcpLen)
	for i := 12; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(tcp[16:], ^uint16(sum))
	return b
}

// sendRaw sends a packet with its own IPv4 header. The kernel fills in an
// identification of 0, as from a kernel that answers by itself it may be.
func sendRaw(packet []byte, to netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("sendto", unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: to.As4()}))
}
