package bpfc

// Ethernet's numbers for the protocols above it.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherIPv6 = 0x86dd

	// maxLength is the greatest number that counts bytes in the field that
	// holds the protocol of other frames: such frames are of 802.3 and have
	// an LLC header.
	maxLength = 1500
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

	srcPort = 0 // of TCP, UDP and SCTP alike
	dstPort = 2
)

// fragmentOffset is the mask of the offset within IPv4's fragment field.
const fragmentOffset = 0x1fff

// The methods below say in tests what pcap-filter(7)'s primitives mean. They
// test in the order in which libpcap does, which matters for packets that end
// before a field.

// carries is true of packets whose link layer says that they carry the
// protocol.
func (l layer2) carries(etherType uint32) formula {
	return equal(field(l.typeOff, 2), etherType)
}

// etherProto is "ether proto n". Numbers up to 1500 are LLC's.
func (l layer2) etherProto(n uint32) formula {
	typ := field(l.typeOff, 2)
	if n > maxLength {
		return equal(typ, n)
	}
	llc := equal(field(l.netOff, 1), n)
	switch n {
	case 0x06, 0xf0, 0xfe:
		// IP, NetBEUI and OSI name themselves as source and destination.
		llc = equal(field(l.netOff, 2), n<<8|n)
	}
	return all(not{test{typ, relGreater, maxLength}}, llc)
}

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
func (l layer2) addresses4(etherType, src, dst, addr, mask uint32, d direction) formula {
	at := func(off uint32) formula {
		if mask == 0 {
			return always{}
		}
		return equal(field(l.netOff+off, 4).masked(mask), addr)
	}
	return all(l.carries(etherType), between(d, at(src), at(dst)))
}

// net4 is "net addr/mask" for one protocol, or for IPv4, ARP and RARP.
func (l layer2) net4(proto string, addr, mask uint32, d direction) formula {
	ip := l.addresses4(etherIPv4, ipv4Src, ipv4Dst, addr, mask, d)
	arp := l.addresses4(etherARP, arpSrc, arpDst, addr, mask, d)
	rarp := l.addresses4(etherRARP, arpSrc, arpDst, addr, mask, d)
	switch proto {
	case "ip":
		return ip
	case "arp":
		return arp
	case "rarp":
		return rarp
	}
	return anyOf(ip, arp, rarp)
}

// net6 is "ip6 net addr/mask", word by word.
func (l layer2) net6(addr, mask [4]uint32, d direction) formula {
	at := func(off uint32) formula {
		var words []formula
		for i, m := range mask {
			if m != 0 {
				word := field(l.netOff+off+4*uint32(i), 4)
				words = append(words, equal(word.masked(m), addr[i]))
			}
		}
		if words == nil {
			return always{}
		}
		return all(words...)
	}
	return all(l.carries(etherIPv6), between(d, at(ipv6Src), at(ipv6Dst)))
}

// ether is "ether host mac".
func (l layer2) ether(mac [6]byte, d direction) formula {
	high := uint32(mac[0])<<8 | uint32(mac[1])
	low := uint32(mac[2])<<24 | uint32(mac[3])<<16 | uint32(mac[4])<<8 | uint32(mac[5])
	at := func(off uint32) formula {
		return all(equal(field(off+2, 4), low), equal(field(off, 2), high))
	}
	return between(d, at(l.srcOff), at(l.dstOff))
}

// above4 is "ip proto n".
func (l layer2) above4(n uint32) formula {
	return all(l.carries(etherIPv4), equal(field(l.netOff+ipv4Protocol, 1), n))
}

// above6 is "ip6 proto n": the protocol follows the header itself, or the
// header of a fragment. Other extension headers are not looked behind.
func (l layer2) above6(n uint32) formula {
	next := field(l.netOff+ipv6Next, 1)
	inFragment := field(l.netOff+ipv6Length, 1)
	return all(l.carries(etherIPv6), anyOf(
		equal(next, n),
		all(equal(next, protoFragment), equal(inFragment, n))))
}

// above is "proto n".
func (l layer2) above(n uint32) formula { return anyOf(l.above4(n), l.above6(n)) }

// inRange is true if lo <= v <= hi.
func inRange(v value, lo, hi uint32) formula {
	if lo == hi {
		return equal(v, lo)
	}
	return all(test{v, relGreaterEqual, lo}, not{test{v, relGreater, hi}})
}

// ports is "portrange lo-hi" for the given protocols above IPv4 and IPv6. A
// later fragment of an IPv4 packet has no ports; that of an IPv6 packet has
// another next header.
//
// The protocols are tested one by one, each with ports of its own: thus the
// protocol is known in all that follows, which threading needs to join
// several ports. It makes the parts equal again where they end alike.
func (l layer2) ports(protocols []uint32, lo, hi uint32, d direction) formula {
	at := func(src, dst value) formula {
		return between(d, inRange(src, lo, hi), inRange(dst, lo, hi))
	}
	start := l.netOff + ipv6Length
	ports6 := at(field(start+srcPort, 2), field(start+dstPort, 2))
	ports4 := all(
		not{test{field(l.netOff+ipv4Fragment, 2), relAnyBit, fragmentOffset}},
		at(afterIPv4(l.netOff+srcPort, 2), afterIPv4(l.netOff+dstPort, 2)))

	var v6, v4 []formula
	for _, n := range protocols {
		v6 = append(v6, all(equal(field(l.netOff+ipv6Next, 1), n), ports6))
		v4 = append(v4, all(equal(field(l.netOff+ipv4Protocol, 1), n), ports4))
	}
	return anyOf(
		all(l.carries(etherIPv6), anyOf(v6...)),
		all(l.carries(etherIPv4), anyOf(v4...)))
}
