package pcapwriter

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Options of an interface, from "Interface Description Block".
const (
	optInterfaceName        = 2
	optInterfaceDescription = 3
	optInterfaceIPv4        = 4
	optInterfaceIPv6        = 5
	optInterfaceResolution  = 9
	optInterfaceFilter      = 11
	optInterfaceOS          = 12
)

// nanoseconds is the value of if_tsresol: time is in units of 10^-9 s.
const nanoseconds = 9

// An Interface is a place that packets come from: a network interface, or a
// part of its traffic that deserves a name of its own. Wireshark shows the
// name beside every packet, at no cost in the packets.
type Interface struct {
	// Name is shown and can be filtered for as frame.interface_name
	// (if_name).
	Name string
	// Description is longer (if_description, frame.interface_description).
	Description string
	// Filter is the capture filter, as the user wrote it (if_filter).
	Filter string
	// OS is the system that the interface belongs to (if_os).
	OS string
	// LinkType is the LINKTYPE_ value of the packets; 1 is Ethernet. All
	// interfaces of one file must agree.
	LinkType uint16
	// Snaplen is the most that is captured of one packet, in bytes; 0 means
	// no limit. All interfaces of one file must agree. libpcap takes at most
	// 262144, and refuses packets that are longer than the file says.
	Snaplen uint32
	// Addrs are the addresses with their networks (if_IPv4addr,
	// if_IPv6addr).
	Addrs []netip.Prefix
	// Options are further options, encoded and aligned as in a file, without
	// an end: what an interface of another file has beside these.
	Options []byte
}

// AppendInterface appends an Interface Description Block and returns the
// longer slice. Packets name their interface by its place in the section,
// beginning with 0. Time is declared to be in nanoseconds.
func AppendInterface(b []byte, i *Interface) []byte {
	start := len(b)
	b = beginBlock(b, blockInterface)
	b = binary.LittleEndian.AppendUint16(b, i.LinkType)
	b = append(b, 0, 0) // reserved
	b = binary.LittleEndian.AppendUint32(b, i.Snaplen)

	b = appendString(b, optInterfaceName, i.Name)
	b = appendString(b, optInterfaceDescription, i.Description)
	for _, p := range i.Addrs {
		b = appendAddr(b, p)
	}
	b = appendOptionHeader(b, optInterfaceResolution, 1)
	b = append(b, nanoseconds, 0, 0, 0)
	b = appendFilter(b, i.Filter)
	b = appendString(b, optInterfaceOS, i.OS)
	b = append(b, i.Options...)
	b = appendOptionHeader(b, optEnd, 0)
	return endBlock(b, start)
}

// appendAddr appends if_IPv4addr (address and mask) or if_IPv6addr (address
// and prefix length), or nothing for a prefix that is not valid.
func appendAddr(b []byte, p netip.Prefix) []byte {
	if !p.IsValid() {
		return b
	}
	if p.Addr().Is4() {
		addr := p.Addr().As4()
		var mask [4]byte
		binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-p.Bits()))
		b = appendOptionHeader(b, optInterfaceIPv4, 2*net.IPv4len)
		b = append(b, addr[:]...)
		return append(b, mask[:]...)
	}
	addr := p.Addr().As16()
	b = appendOptionHeader(b, optInterfaceIPv6, net.IPv6len+1)
	b = append(b, addr[:]...)
	return append(b, byte(p.Bits()), 0, 0, 0)
}

// appendFilter appends if_filter, whose first byte "keeps a code of the filter
// used": 0 is a string in the language of libpcap.
func appendFilter(b []byte, filter string) []byte {
	if filter == "" {
		return b
	}
	const libpcapString = 0
	start := len(b)
	b = appendOptionHeader(b, optInterfaceFilter, 0)
	b = append(b, libpcapString)
	b = appendText(b, filter, maxOptionLen-1)
	return endOption(b, start)
}
