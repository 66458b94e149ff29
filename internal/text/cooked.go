package text

import "icap/internal/flow"

// linkLen is how long the header of a link type is, without VLAN tags.
func linkLen(linkType uint16) int {
	switch linkType {
	case flow.LinkEthernet:
		return 14
	case flow.LinkSLL:
		return 16
	case flow.LinkSLL2:
		return 20
	}
	return 0
}

// appendLink appends a frame of a link type.
func (p *Printer) appendLink(b []byte, linkType uint16, frame []byte, wireLen int) []byte {
	switch linkType {
	case flow.LinkEthernet:
		return p.appendEthernet(b, frame, wireLen)
	case flow.LinkSLL:
		return p.appendCooked(b, frame, wireLen, linkLen(linkType), 14)
	case flow.LinkSLL2:
		return p.appendCooked(b, frame, wireLen, linkLen(linkType), 0)
	case flow.LinkRaw, flow.LinkIPv4, flow.LinkIPv6:
		return p.appendRaw(b, frame, wireLen)
	}
	b = append(b, "link type "...)
	b = appendInt(b, linkType)
	b = append(b, ", length "...)
	return appendInt(b, wireLen)
}

// appendCooked appends a frame of Linux's cooked capture, whose header has a
// length and tells the ethertype at an offset.
func (p *Printer) appendCooked(b, frame []byte, wireLen, headerLen, at int) []byte {
	if len(frame) < headerLen {
		return append(b, " [|sll]"...)
	}
	typ := be16(frame[at:])
	if p.o.Link || !known(typ) {
		b = p.appendEtherType(b, typ)
		b = append(b, ", length "...)
		b = appendInt(b, wireLen)
		b = append(b, ": "...)
	}
	return p.appendNetwork(b, typ, frame[headerLen:], wireLen-headerLen)
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
