package capfile

import (
	"bytes"
	"net/netip"
)

// Names calls yield with each address of a Name Resolution Block and the first
// of its names in a row, until it returns false. Other blocks, and what is wrong in one,
// have none. Names are what a file says: they are to be escaped.
func (b *Block) Names(yield func(netip.Addr, string) bool) {
	const (
		headerLen   = 8
		trailerLen  = 4
		recordEnd   = 0
		recordIPv4  = 1
		recordIPv6  = 2
		recordFixed = 4
	)
	if b.Type != TypeNames || len(b.Raw) < headerLen+trailerLen {
		return
	}
	rest := b.Raw[headerLen : len(b.Raw)-trailerLen]
	var last netip.Addr
	for len(rest) >= recordFixed {
		kind, n := b.Order.Uint16(rest), int(b.Order.Uint16(rest[2:]))
		if kind == recordEnd || n > len(rest)-recordFixed {
			return
		}
		value := rest[recordFixed:][:n]
		rest = rest[min(recordFixed+aligned(n), len(rest)):]
		size := 0
		switch kind {
		case recordIPv4:
			size = 4
		case recordIPv6:
			size = 16
		}
		if size == 0 || n <= size {
			continue
		}
		addr, _ := netip.AddrFromSlice(value[:size])
		name, _, _ := bytes.Cut(value[size:], []byte{0})
		if len(name) == 0 || addr == last {
			continue
		}
		if last = addr; !yield(addr.Unmap(), string(name)) {
			return
		}
	}
}
