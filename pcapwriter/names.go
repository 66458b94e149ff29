package pcapwriter

import (
	"net"
	"net/netip"
)

// Record types, from "Name Resolution Block".
const (
	recordEnd  = 0
	recordIPv4 = 1
	recordIPv6 = 2
)

// A Name gives an address the names that readers show in its place, such as
// those of a pod.
type Name struct {
	// Addr is the address. An IPv4 address in IPv6's clothes counts as IPv4,
	// and a zone is left out.
	Addr netip.Addr
	// Names are shown in this order of preference. Empty ones are left out.
	Names []string
}

// AppendNames appends a Name Resolution Block and returns the longer slice. It
// appends nothing when there is no valid address with a name. Readers use the
// names for the packets that follow, so the block belongs ahead of them.
func AppendNames(b []byte, names []Name) []byte {
	start := len(b)
	b = beginBlock(b, blockNames)
	records := len(b)
	for _, n := range names {
		for _, name := range n.Names {
			b = appendRecord(b, n.Addr.Unmap(), name)
		}
	}
	if len(b) == records {
		return b[:start]
	}
	b = appendOptionHeader(b, recordEnd, 0)
	return endBlock(b, start)
}

// appendRecord appends a record with one name, which ends in a zero byte. Each
// name has a record of its own: so no number of names can overflow a record,
// and readers take the first they find for an address.
func appendRecord(b []byte, a netip.Addr, name string) []byte {
	if !a.IsValid() || name == "" {
		return b
	}
	start := len(b)
	if a.Is4() {
		addr := a.As4()
		b = appendOptionHeader(b, recordIPv4, 0)
		b = append(b, addr[:]...)
	} else {
		addr := a.As16()
		b = appendOptionHeader(b, recordIPv6, 0)
		b = append(b, addr[:]...)
	}
	b = appendText(b, name, maxOptionLen-net.IPv6len-1)
	return endOption(append(b, 0), start)
}
