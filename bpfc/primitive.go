package bpfc

// Ethernet's numbers for the protocols above it.
const (
	etherIPv4      = 0x0800
	etherARP       = 0x0806
	etherMOPDL     = 0x6001
	etherMOPRC     = 0x6002
	etherDECnet    = 0x6003
	etherLAT       = 0x6004
	etherSCA       = 0x6007
	etherBridge    = 0x6558 // Ethernet itself, within a tunnel
	etherRARP      = 0x8035
	etherAppleTalk = 0x809b
	etherAARP      = 0x80f3
	etherVLAN      = 0x8100
	etherIPX       = 0x8137
	etherIPv6      = 0x86dd
	etherMPLS      = 0x8847
	etherPPPoED    = 0x8863 // discovery
	etherPPPoES    = 0x8864 // sessions
	etherSlow      = 0x8809 // link aggregation and others
	etherQinQ      = 0x88a8 // a VLAN around VLANs
	etherLLDP      = 0x88cc
	etherOldQinQ   = 0x9100
)

// Offsets within network headers, in bytes.
const (
	ipv4Fragment = 6
	ipv4Protocol = 9
	ipv4Src      = 12
	ipv4Dst      = 16

	ipv6Next   = 6
	ipv6Src    = 8
	ipv6Dst    = 24
	ipv6Length = 40

	arpSrc = 14 // of an ARP packet for IPv4 over Ethernet
	arpDst = 24

	etherDst = 0 // of an Ethernet frame
	etherSrc = 6

	srcPort = 0 // of TCP, UDP and SCTP alike
	dstPort = 2
)

// fragmentOffset is the mask of the offset within IPv4's fragment field.
const fragmentOffset = 0x1fff

// The methods below say in tests what pcap-filter(7)'s primitives mean. They
// test in the order in which libpcap does, which matters for packets that end
// before a field.

// between joins what holds for the source and what holds for the destination
// as the direction says.
func between(d direction, src, dst formula) formula {
	switch d {
	case dirSrc:
		return src
	case dirDst:
		return dst
	case dirBoth:
		return all(src, dst)
	}
	return anyOf(src, dst)
}

// addresses4 is true of packets of one EtherType with an IPv4 address of the
// network addr/mask in the fields at src and dst of the network header.
func (l layer) addresses4(etherType, src, dst, addr, mask uint32, d direction) formula {
	at := func(off uint32) formula {
		return all(l.carries(etherType), equal(l.in(off, 4).masked(mask), addr))
	}
	return between(d, at(src), at(dst))
}

// net4 is "net addr/mask" for one protocol, or for IPv4, ARP and RARP.
func (l layer) net4(proto string, addr, mask uint32, d direction) formula {
	ip := l.addresses4(etherIPv4, ipv4Src, ipv4Dst, addr, mask, d)
	if proto == "ip" || proto == "" && l.labels > 0 {
		return ip // ARP cannot be told behind MPLS labels
	}
	arp := l.addresses4(etherARP, arpSrc, arpDst, addr, mask, d)
	rarp := l.addresses4(etherRARP, arpSrc, arpDst, addr, mask, d)
	switch proto {
	case "arp":
		return arp
	case "rarp":
		return rarp
	}
	return anyOf(ip, arp, rarp)
}

// net6 is "ip6 net addr/mask", word by word.
func (l layer) net6(addr, mask [4]uint32, d direction) formula {
	at := func(off uint32) formula {
		words := []formula{l.carries(etherIPv6)}
		for i, m := range mask {
			words = append(words, equal(l.in(off+4*uint32(i), 4).masked(m), addr[i]))
		}
		return all(words...)
	}
	return between(d, at(ipv6Src), at(ipv6Dst))
}

// ether is "ether host mac".
func (l layer) ether(mac [6]byte, d direction) formula {
	high := uint32(mac[0])<<8 | uint32(mac[1])
	low := uint32(mac[2])<<24 | uint32(mac[3])<<16 | uint32(mac[4])<<8 | uint32(mac[5])
	at := func(off uint32) formula {
		return all(equal(l.link.field(off+2, 4), low), equal(l.link.field(off, 2), high))
	}
	return l.withLink(between(d, at(etherSrc), at(etherDst)))
}

// withLink is true of packets that have a link-layer header of which f holds:
// what a tunnel carries can lack one.
func (l layer) withLink(f formula) formula {
	if l.bare {
		return never()
	}
	return f
}

// first is true of IPv4 packets that are not later fragments.
func (l layer) first() formula {
	return not{test{l.in(ipv4Fragment, 2), relAnyBit, fragmentOffset}}
}

// above4 is "ip proto n".
func (l layer) above4(n uint32) formula {
	return all(l.carries(etherIPv4), equal(l.in(ipv4Protocol, 1), n))
}

// above6 is "ip6 proto n": the protocol follows the header itself, or the
// header of a fragment. Other extension headers are not looked behind.
func (l layer) above6(n uint32) formula {
	next := l.in(ipv6Next, 1)
	inFragment := l.in(ipv6Length, 1)
	return all(l.carries(etherIPv6), anyOf(
		equal(next, n),
		all(equal(next, protoFragment), equal(inFragment, n))))
}

// above is "proto n".
func (l layer) above(n uint32) formula { return anyOf(l.above4(n), l.above6(n)) }

// inRange is true if lo <= v <= hi.
func inRange(v value, lo, hi uint32) formula {
	return all(test{v, relGreaterEqual, lo}, not{test{v, relGreater, hi}})
}
