package text

import "icap/internal/flow"

// linkLen is how long the header of a frame of a link type is, with VLAN tags.
func linkLen(linkType uint16, frame []byte) int {
	const tagLen = 4
	n, at := 0, 0 // where the ethertype is
	switch linkType {
	case flow.LinkEthernet:
		n, at = 14, 12
	case flow.LinkSLL:
		n, at = 16, 14
	case flow.LinkSLL2:
		n, at = 20, 0
	default:
		return 0
	}
	for len(frame) >= n+tagLen && isTag(be16(frame[at:])) {
		at = n + 2
		n += tagLen
	}
	return min(n, len(frame))
}

// appendLink appends a frame of a link type.
func (p *Printer) appendLink(b []byte, linkType uint16, frame []byte, wireLen int) []byte {
	switch linkType {
	case flow.LinkEthernet:
		return p.appendEthernet(b, frame, wireLen)
	case flow.LinkSLL:
		return p.appendSLL(b, frame, wireLen)
	case flow.LinkSLL2:
		return p.appendSLL2(b, frame, wireLen)
	case flow.LinkRaw, flow.LinkIPv4, flow.LinkIPv6:
		return p.appendRaw(b, frame, wireLen)
	}
	b = append(b, "link type "...)
	b = appendInt(b, linkType)
	b = append(b, ", length "...)
	return appendInt(b, wireLen)
}

// appendSLL appends a frame of Linux's cooked capture, LINKTYPE_LINUX_SLL.
func (p *Printer) appendSLL(b, frame []byte, wireLen int) []byte {
	const headerLen = 16
	if len(frame) < headerLen {
		return append(b, " [|sll]"...)
	}
	typ := be16(frame[14:])
	if p.o.Link || !known(typ) && !isTag(typ) {
		way := packetWay(uint8(min(be16(frame), 0xff)))
		for range 3 - len(way) {
			b = append(b, ' ')
		}
		b = append(append(b, way...), ' ')
		b = p.appendCookedHeader(b, be16(frame[4:]), frame[6:12], typ, wireLen)
	}
	return p.appendCooked(b, typ, frame[headerLen:], wireLen-headerLen)
}

// appendSLL2 appends a frame of LINKTYPE_LINUX_SLL2, which says the interface.
func (p *Printer) appendSLL2(b, frame []byte, wireLen int) []byte {
	const headerLen = 20
	if len(frame) < headerLen {
		return append(b, " [|sll2]"...)
	}
	start := len(b)
	b = appendInt(append(b, "if"...), be32(frame[4:]))
	b = append(AppendWay(b, len(b)-start, frame[10]), ' ')
	typ := be16(frame)
	if p.o.Link || !known(typ) && !isTag(typ) {
		b = append(appendInt(append(b, "ifindex "...), be32(frame[4:])), ' ')
		b = p.appendCookedHeader(b, uint16(frame[11]), frame[12:18], typ, wireLen)
	}
	return p.appendCooked(b, typ, frame[headerLen:], wireLen-headerLen)
}

// appendCookedHeader appends the sender's hardware address, if it is like one
// of Ethernet, the ethertype and the length.
func (p *Printer) appendCookedHeader(b []byte, addrLen uint16, mac []byte, typ uint16, wireLen int) []byte {
	if addrLen == 6 {
		b = append(appendMAC(b, mac), ' ')
	}
	if p.o.Quick {
		return b
	}
	b = append(p.appendEtherType(b, typ), ", length "...)
	return append(appendInt(b, wireLen), ": "...)
}

// appendCooked appends what is behind a cooked header.
func (p *Printer) appendCooked(b []byte, typ uint16, rest []byte, restLen int) []byte {
	const tagLen = 4
	for isTag(typ) {
		if len(rest) < tagLen {
			return append(b, " [|vlan]"...)
		}
		tci := be16(rest)
		typ = be16(rest[2:])
		if p.o.Link {
			b = appendTag(b, tci)
		}
		if !p.o.Quick {
			b = append(append(append(b, "ethertype "...), etherName(typ)...), ", "...)
		}
		rest, restLen = rest[tagLen:], restLen-tagLen
	}
	return p.appendNetwork(b, typ, rest, restLen)
}

// AppendWay appends to whom a packet was sent, as tcpdump tells it of captures
// on all interfaces, behind an interface's name of some letters. The type is that
// of packet(7).
func AppendWay(b []byte, letters int, packetType uint8) []byte {
	for ; letters < 5; letters++ {
		b = append(b, ' ')
	}
	way := packetWay(packetType)
	b = append(append(b, ' '), way...)
	for range 3 - len(way) {
		b = append(b, ' ')
	}
	return b
}

// packetWay is to whom a packet was sent, by its type of packet(7): this host, all,
// some, another one (which is seen in promiscuous mode), or by this host.
func packetWay(packetType uint8) string {
	switch packetType {
	case 0:
		return "In"
	case 1:
		return "B"
	case 2:
		return "M"
	case 3:
		return "P"
	case 4:
		return "Out"
	}
	return "?"
}

// appendRaw appends a frame that begins with the header of IP.
func (p *Printer) appendRaw(b, frame []byte, wireLen int) []byte {
	typ := uint16(0)
	if len(frame) > 0 {
		switch frame[0] >> 4 {
		case 4:
			typ = etherIPv4
		case 6:
			typ = etherIPv6
		}
	}
	if p.o.Link {
		b = p.appendEtherType(b, typ)
		b = append(b, ", length "...)
		b = appendInt(b, wireLen)
		b = append(b, ": "...)
	}
	return p.appendNetwork(b, typ, frame, wireLen)
}
