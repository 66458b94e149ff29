package text

// Ethertypes, from IANA's "IEEE 802 Numbers".
const (
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	etherRARP   = 0x8035
	ether8021Q  = 0x8100
	etherIPv6   = 0x86dd
	ether8021AD = 0x88a8
	etherQ9100  = 0x9100 // what switches tagged with before 802.1ad
	etherQ9200  = 0x9200
)

// minEtherType is the smallest value that is a type; below, the field is the
// length of an 802.3 frame.
const minEtherType = 0x0600

// appendEthernet appends a frame. wireLen is what it had on the wire.
func (p *Printer) appendEthernet(b, frame []byte, wireLen int) []byte {
	const (
		headerLen = 14
		tagLen    = 4
	)
	if len(frame) < headerLen {
		return append(b, " [|ether]"...)
	}
	typ := be16(frame[12:])
	if p.o.Link {
		b = p.appendEthernetHeader(b, frame, typ, wireLen)
	}
	rest, restLen := frame[headerLen:], wireLen-headerLen
	tags := 0
	for ; isTag(typ); tags++ {
		if len(rest) < tagLen {
			return append(b, " [|vlan]"...)
		}
		if p.o.Link {
			b = appendTag(p.appendNextType(b, typ, tags), be16(rest))
		}
		typ = be16(rest[2:])
		rest, restLen = rest[tagLen:], restLen-tagLen
	}
	if p.o.Link {
		b = p.appendNextType(b, typ, tags)
	}
	if !p.o.Link && !known(typ) {
		b = p.appendEthernetHeader(b, frame, typ, wireLen)
	}
	return p.appendNetwork(b, typ, rest, restLen)
}

// appendNextType appends an ethertype that stands behind tags.
func (p *Printer) appendNextType(b []byte, typ uint16, tags int) []byte {
	if tags == 0 {
		return b
	}
	return append(p.appendEtherType(b, typ), ", "...)
}

// appendNetwork appends what is behind the link layer.
func (p *Printer) appendNetwork(b []byte, typ uint16, rest []byte, restLen int) []byte {
	switch typ {
	case etherIPv4:
		return p.appendIPv4(b, rest, restLen)
	case etherIPv6:
		return p.appendIPv6(b, rest, restLen)
	case etherARP, etherRARP:
		return p.appendARP(b, rest, restLen)
	}
	b = append(b, "length "...)
	return appendInt(b, restLen)
}

// isTag says whether a tag of a VLAN is behind an ethertype, and then another.
func isTag(typ uint16) bool {
	switch typ {
	case ether8021Q, ether8021AD, etherQ9100, etherQ9200:
		return true
	}
	return false
}

// appendTag appends a VLAN's number, priority and drop eligibility.
func appendTag(b []byte, tci uint16) []byte {
	b = appendInt(append(b, "vlan "...), tci&0xfff)
	b = appendInt(append(b, ", p "...), tci>>13)
	if tci&0x1000 != 0 {
		b = append(b, ", DEI"...)
	}
	return append(b, ", "...)
}

// known says whether a packet of this type says by itself what it is.
func known(typ uint16) bool {
	switch typ {
	case etherIPv4, etherIPv6, etherARP, etherRARP:
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

// appendEthernetHeader appends source, destination, a type and the length.
func (p *Printer) appendEthernetHeader(b, frame []byte, typ uint16, wireLen int) []byte {
	b = appendMAC(b, frame[6:])
	b = append(b, " > "...)
	b = appendMAC(b, frame)
	b = append(b, ", "...)
	b = p.appendEtherType(b, typ)
	b = append(b, ", length "...)
	b = appendInt(b, wireLen)
	return append(b, ": "...)
}

// appendEtherType appends the name of an ethertype, and its number unless the
// line is to be short.
func (p *Printer) appendEtherType(b []byte, typ uint16) []byte {
	name := etherName(typ)
	switch {
	case typ < minEtherType:
		return append(b, "802.3"...)
	case p.o.Quick && name == unknownEther:
		b = appendHex(append(b, "Unknown Ethertype ("...), uint32(typ), 2)
		return append(b, ')')
	case p.o.Quick:
		return append(b, name...)
	}
	b = append(append(b, "ethertype "...), name...)
	b = appendHex(append(b, " ("...), uint32(typ), 2)
	return append(b, ')')
}

// unknownEther is the name of an ethertype that has none here.
const unknownEther = "Unknown"

// etherName is the name of an ethertype, as tcpdump has it. Most are only named.
func etherName(typ uint16) string {
	switch typ {
	case etherIPv4:
		return "IPv4"
	case etherARP:
		return "ARP"
	case etherRARP:
		return "Reverse ARP"
	case ether8021Q:
		return "802.1Q"
	case etherIPv6:
		return "IPv6"
	case ether8021AD:
		return "802.1Q-QinQ"
	case etherQ9100:
		return "802.1Q-9100"
	case etherQ9200:
		return "802.1Q-9200"
	case 0x8847:
		return "MPLS unicast"
	case 0x8848:
		return "MPLS multicast"
	case 0x8863:
		return "PPPoE D"
	case 0x8864:
		return "PPPoE S"
	case 0x888e:
		return "EAPOL"
	case 0x8809:
		return "Slow Protocols"
	case 0x88cc:
		return "LLDP"
	case 0x88e5:
		return "802.1AE MACsec"
	case 0x88f7:
		return "PTP"
	case 0x9000:
		return "Loopback"
	}
	return unknownEther
}
