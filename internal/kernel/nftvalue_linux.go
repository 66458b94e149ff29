package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// extension reads the attributes that "match" and "target" have in common:
// NFTA_MATCH_NAME has the number of NFTA_TARGET_NAME, and so on.
func extension(data []byte) (name string, revision uint32, info []byte, err error) {
	attrs, err := attributes(data)
	if err != nil {
		return "", 0, nil, err
	}
	rev := attrs[unix.NFTA_MATCH_REV]
	if len(rev) != 4 {
		return "", 0, nil, fmt.Errorf("extension with a revision of %d bytes", len(rev))
	}
	name = unix.ByteSliceToString(attrs[unix.NFTA_MATCH_NAME])
	return name, binary.BigEndian.Uint32(rev), attrs[unix.NFTA_MATCH_INFO], nil
}

func attributes(data []byte) (map[uint16][]byte, error) {
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return nil, err
	}
	attrs := make(map[uint16][]byte)
	for ad.Next() {
		attrs[ad.Type()] = ad.Bytes()
	}
	return attrs, ad.Err()
}

func versionOf(family byte) uint8 {
	switch family {
	case unix.NFPROTO_IPV4:
		return 4
	case unix.NFPROTO_IPV6:
		return 6
	}
	return 0
}

// linkName is the name that an interface is compared with. Without a NUL at
// the end it is the beginning of names.
func linkName(b []byte) string {
	name := unix.ByteSliceToString(b)
	if len(name) == len(b) && len(b) < unix.IFNAMSIZ {
		return name + "+"
	}
	return name
}

// markOf is the mark that the register is compared with.
func (r register) markOf(value []byte) Mark {
	m := Mark{binary.NativeEndian.Uint32(value), 0xffffffff}
	if len(r.mask) == 4 {
		m.Mask = binary.NativeEndian.Uint32(r.mask)
	}
	return m
}

// prefix is the network that an address in the register is compared with:
// that of its first bytes, of which a mask may leave out bits.
func (r register) prefix(value []byte) (netip.Prefix, bool) {
	full := make([]byte, 4)
	if r.version == 6 {
		full = make([]byte, 16)
	}
	bits := 8 * len(value)
	if r.mask != nil {
		n, ok := maskLen(r.mask)
		if !ok || len(r.mask) != len(value) {
			return netip.Prefix{}, false
		}
		bits = n
	}
	if copy(full, value) < len(value) {
		return netip.Prefix{}, false
	}
	addr, _ := netip.AddrFromSlice(full)
	p, err := addr.Prefix(bits)
	return p, err == nil
}
