package kernel

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: without the
// counters a reply about an interface is less than half as long.
const skipStats = 1 << 3

func links() ([]Link, error) {
	q, err := dial(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	defer q.close()

	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.IFLA_EXT_MASK, skipStats)
	mask, err := ae.Encode()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	msgs, err := q.dump(unix.RTM_GETLINK, append(make([]byte, unix.SizeofIfInfomsg), mask...))
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	all := make([]Link, 0, len(msgs))
	for _, m := range msgs {
		l, err := decodeLink(m.Data)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })

	msgs, err = q.dump(unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, m := range msgs {
		index, addr, err := decodeAddr(m.Data)
		if err != nil {
			return nil, fmt.Errorf("list addresses: %w", err)
		}
		i, found := slices.BinarySearchFunc(all, index, func(l Link, index int) int {
			return cmp.Compare(l.Index, index)
		})
		// The interface may have come into being between the two dumps.
		if found && addr.IsValid() {
			all[i].Addrs = append(all[i].Addrs, addr)
		}
	}
	return all, nil
}

// decodeLink reads a struct ifinfomsg and its attributes, see rtnetlink(7).
func decodeLink(b []byte) (Link, error) {
	if len(b) < unix.SizeofIfInfomsg {
		return Link{}, fmt.Errorf("interface message of %d bytes is too short", len(b))
	}
	flags := binary.NativeEndian.Uint32(b[8:])
	l := Link{
		Type:     int(binary.NativeEndian.Uint16(b[2:])),
		Index:    int(binary.NativeEndian.Uint32(b[4:])),
		Up:       flags&unix.IFF_UP != 0,
		Running:  flags&unix.IFF_RUNNING != 0,
		Loopback: flags&unix.IFF_LOOPBACK != 0,
	}
	ad, err := netlink.NewAttributeDecoder(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return Link{}, fmt.Errorf("interface %d: %w", l.Index, err)
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_IFNAME:
			l.Name = ad.String()
		case unix.IFLA_MTU:
			l.MTU = int(ad.Uint32())
		case unix.IFLA_ADDRESS:
			l.HardwareAddr = net.HardwareAddr(ad.Bytes())
		}
	}
	if err := ad.Err(); err != nil {
		return Link{}, fmt.Errorf("interface %d: %w", l.Index, err)
	}
	return l, nil
}

// decodeAddr reads a struct ifaddrmsg and its attributes, see rtnetlink(7). The
// prefix is not valid for a family other than IPv4 and IPv6.
//
// From rtnetlink(7): on a point-to-point interface IFA_ADDRESS is the address
// of the peer, and IFA_LOCAL the interface's own.
func decodeAddr(b []byte) (index int, p netip.Prefix, err error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return 0, p, fmt.Errorf("address message of %d bytes is too short", len(b))
	}
	index, bits := int(binary.NativeEndian.Uint32(b[4:])), int(b[1])
	ad, err := netlink.NewAttributeDecoder(b[unix.SizeofIfAddrmsg:])
	if err != nil {
		return 0, p, fmt.Errorf("address of interface %d: %w", index, err)
	}
	var addr, local netip.Addr
	for ad.Next() {
		switch ad.Type() {
		case unix.IFA_ADDRESS:
			addr, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(ad.Bytes())
		}
	}
	if err := ad.Err(); err != nil {
		return 0, p, fmt.Errorf("address of interface %d: %w", index, err)
	}
	if local.IsValid() {
		addr = local
	}
	return index, netip.PrefixFrom(addr, bits), nil
}

func namespaceCookie() uint64 {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}
