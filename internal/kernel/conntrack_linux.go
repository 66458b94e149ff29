package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Numbers of linux/netfilter/nfnetlink_conntrack.h that x/sys lacks.
const (
	ctGet = unix.NFNL_SUBSYS_CTNETLINK<<8 | 1 // IPCTNL_MSG_CT_GET

	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaMark       = 8

	ctaTupleIP    = 1
	ctaTupleProto = 2

	ctaV4Src, ctaV4Dst = 1, 2
	ctaV6Src, ctaV6Dst = 3, 4

	ctaProtoNum, ctaProtoSrc, ctaProtoDst = 1, 2, 3
)

func connections() ([]Connection, error) {
	q, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, absent(err)
	}
	defer q.close()
	// struct nfgenmsg: every family, a version, no resource.
	msgs, err := q.dump(ctGet, []byte{unix.AF_UNSPEC, 0, 0, 0})
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("read conntrack: %w (needs CAP_NET_ADMIN in the network namespace)", err)
	}
	if err != nil {
		return nil, absent(err)
	}
	all := make([]Connection, 0, len(msgs))
	for _, m := range msgs {
		c, err := decodeConnection(m.Data)
		if err != nil {
			return nil, fmt.Errorf("read conntrack: %w", err)
		}
		if c.Proto == ProtoTCP || c.Proto == ProtoUDP {
			all = append(all, c)
		}
	}
	return all, nil
}

// decodeConnection reads a struct nfgenmsg and the attributes of an entry.
func decodeConnection(b []byte) (c Connection, err error) {
	if len(b) < 4 {
		return c, fmt.Errorf("entry of %d bytes is too short", len(b))
	}
	ad, err := netlink.NewAttributeDecoder(b[4:])
	if err != nil {
		return c, err
	}
	ad.ByteOrder = binary.BigEndian
	for ad.Next() {
		switch ad.Type() {
		case ctaTupleOrig:
			ad.Nested(tuple(&c.Proto, &c.Src, &c.Dst))
		case ctaTupleReply:
			ad.Nested(tuple(&c.Proto, &c.ReplySrc, &c.ReplyDst))
		case ctaMark:
			c.Mark = ad.Uint32()
		}
	}
	return c, ad.Err()
}

// tuple returns a decoder of the addresses of one direction.
func tuple(proto *uint8, src, dst *netip.AddrPort) func(*netlink.AttributeDecoder) error {
	return func(ad *netlink.AttributeDecoder) error {
		var addrs [2]netip.Addr
		var ports [2]uint16
		for ad.Next() {
			switch ad.Type() {
			case ctaTupleIP:
				ad.Nested(func(ad *netlink.AttributeDecoder) error {
					for ad.Next() {
						switch a, ok := netip.AddrFromSlice(ad.Bytes()); {
						case !ok:
						case ad.Type() == ctaV4Src || ad.Type() == ctaV6Src:
							addrs[0] = a
						case ad.Type() == ctaV4Dst || ad.Type() == ctaV6Dst:
							addrs[1] = a
						}
					}
					return nil
				})
			case ctaTupleProto:
				ad.Nested(func(ad *netlink.AttributeDecoder) error {
					ad.ByteOrder = binary.BigEndian
					for ad.Next() {
						switch ad.Type() {
						case ctaProtoNum:
							*proto = ad.Uint8()
						case ctaProtoSrc:
							ports[0] = ad.Uint16()
						case ctaProtoDst:
							ports[1] = ad.Uint16()
						}
					}
					return nil
				})
			}
		}
		*src, *dst = netip.AddrPortFrom(addrs[0], ports[0]), netip.AddrPortFrom(addrs[1], ports[1])
		return nil
	}
}
