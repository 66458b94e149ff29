package text

// Ethertypes, from IANA's "IEEE 802 Numbers".
const (
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	ether8021Q  = 0x8100
	etherIPv6   = 0x86dd
	ether8021AD = 0x88a8
)

// minEtherType is the smallest value that is a type; below, the field is the
// length of an 802.3 frame.
const minEtherType = 0x0600

// appendEthernet appends a frame. wireLen is what it had on the wire.
func (p *Printer) appendEthernet(b, frame []byte, wireLen int) []byte {
	const headerLen = 14
	if len(frame) < headerLen {
		return append(b, "[|ether]"...)
	}
	typ := be16(frame[12:])
	if p.o.Link || !known(typ) {
		b = appendEthernetHeader(b, frame, typ, wireLen)
	}
	rest, restLen := frame[headerLen:], wireLen-headerLen
	for typ == ether8021Q || typ == ether8021AD {
		const tagLen = 4
		if len(rest) < tagLen {
			return append(b, "[|vlan]"...)
		}
		tci := be16(rest)
		typ = be16(rest[2:])
		if p.o.Link {
			b = append(b, "vlan "...)
			b = appendInt(b, tci&0xfff)
			b = append(b, ", p "...)
			b = appendInt(b, tci>>13)
			if tci&0x1000 != 0 {
				b = append(b, ", DEI"...)
			}
			b = append(b, ", "...)
		}
		if p.o.Link || !known(typ) {
			b = appendEtherType(b, typ)
			b = append(b, ", "...)
		}
		rest, restLen = rest[tagLen:], restLen-tagLen
	}
	return p.appendNetwork(b, typ, rest, restLen)
}

// appendNetwork appends what is behind the link layer.
func (p *Printer) appendNetwork(b []byte, typ uint16, rest []byte, restLen int) []byte {
	switch typ {
	case etherIPv4:
		return p.appendIPv4(p.appendFamily(b, "IP "), rest, restLen)
	case etherIPv6:
		return p.appendIPv6(p.appendFamily(b, "IP6 "), rest, restLen)
	case etherARP:
		return p.appendARP(p.appendFamily(b, "ARP, "), rest, restLen)
	}
	b = append(b, "length "...)
	return appendInt(b, restLen)
}

// known says whether a packet of this type says by itself what it is.
func known(typ uint16) bool {
	switch typ {
	case etherIPv4, etherIPv6, etherARP, ether8021Q, ether8021AD:
		return true
	}
	return false
}

// appendFamily appends the name of the protocol, unless the ethertype has just
// said it.
func (p *Printer) appendFamily(b []byte, name string) []byte {
	if p.o.Link {
		return b
	}
	return append(b, name...)
}

// appendEthernetHeader appends source, destination, type and length.
func appendEthernetHeader(b, frame []byte, typ uint16, wireLen int) []byte {
	b = appendMAC(b, frame[6:])
	b = append(b, " > "...)
	b = appendMAC(b, frame)
	b = append(b, ", "...)
	b = appendEtherType(b, typ)
	b = append(b, ", length "...)
	b = appendInt(b, wireLen)
	return append(b, ": "...)
}

// appendEtherType appends the name of an ethertype and its number.
func appendEtherType(b []byte, typ uint16) []byte {
	if typ < minEtherType {
		return append(b, "802.3"...)
	}
	b = append(b, "ethertype "...)
	b = append(b, etherName(typ)...)
	b = append(b, " ("...)
	b = appendHex(b, uint32(typ), 2)
	return append(b, ')')
}

// etherName is the name of an ethertype.
func etherName(typ uint16) string {
	switch typ {
	case etherIPv4:
		return "IPv4"
	case etherARP:
		return "ARP"
	case ether8021Q:
		return "802.1Q"
	case etherIPv6:
		return "IPv6"
	case ether8021AD:
		return "802.1Q-QinQ"
	}
	return "Unknown"
}

// appendARP appends a request or a reply about an IPv4 address on Ethernet.
func (p *Printer) appendARP(b, arp []byte, wireLen int) []byte {
	const (
		headerLen = 28
		request   = 1
		reply     = 2
	)
	if len(arp) < headerLen {
		return append(b, "[|arp]"...)
	}
	senderMAC, sender, target := arp[8:14], arp[14:18], arp[24:28]
	if p.o.Verbose > 0 && be32(arp) == 0x0001_0800 {
		b = appendInt(append(b, "Ethernet (len "...), arp[4])
		b = append(appendInt(append(b, "), IPv4 (len "...), arp[5]), "), "...)
	}
	switch op := be16(arp[6:]); {
	case be32(arp) != 0x0001_0800 || be16(arp[4:]) != 0x0604:
		b = append(b, "Unknown"...)
	case op == request:
		b = append(b, "Request who-has "...)
		b = appendAddr(b, target)
		b = append(b, " tell "...)
		b = appendAddr(b, sender)
	case op == reply:
		b = append(b, "Reply "...)
		b = appendAddr(b, sender)
		b = append(b, " is-at "...)
		b = appendMAC(b, senderMAC)
	default:
		b = append(b, "op "...)
		b = appendInt(b, op)
	}
	b = append(b, ", length "...)
	return appendInt(b, wireLen)
}
