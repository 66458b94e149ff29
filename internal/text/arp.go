package text

// Operations of ARP, from IANA's "ARP Parameters".
const (
	arpRequest        = 1
	arpReply          = 2
	arpReverseRequest = 3
	arpReverseReply   = 4
	arpInverseRequest = 8
	arpInverseReply   = 9
)

// appendARP appends a question or an answer about an address: RFC 826.
func (p *Printer) appendARP(b, arp []byte, wireLen int) []byte {
	const (
		headerLen = 8
		addrLen   = 4
		cut       = " [|arp]"
	)
	if len(arp) < headerLen {
		return append(b, cut...)
	}
	hardware, proto, op := be16(arp), be16(arp[2:]), be16(arp[6:])
	macLen, protoLen := int(arp[4]), int(arp[5])
	if len(arp) < headerLen+2*(macLen+protoLen) {
		return append(b, cut...)
	}
	b = p.appendFamily(b, "ARP, ")
	if p.o.Verbose > 0 || proto != etherIPv4 || protoLen != addrLen || macLen == 0 {
		b = appendHardware(b, hardware, macLen)
		b = appendProtocol(b, proto, protoLen)
		if p.o.Verbose == 0 {
			return appendInt(append(b, ", length "...), wireLen)
		}
		b = append(b, ", "...)
	}
	a := arp[headerLen:]
	mac, addr := a[:macLen], a[macLen:macLen+protoLen]
	a = a[macLen+protoLen:]
	targetMAC, target := a[:macLen], a[macLen:macLen+protoLen]
	switch op {
	case arpRequest:
		b = appendARPAddr(append(b, "Request who-has "...), target, proto)
		if !zero(targetMAC) {
			b = append(appendHardwareAddr(append(b, " ("...), targetMAC), ')')
		}
		b = appendARPAddr(append(b, " tell "...), addr, proto)
	case arpReply:
		b = appendARPAddr(append(b, "Reply "...), addr, proto)
		b = appendHardwareAddr(append(b, " is-at "...), mac)
	case arpReverseRequest, arpInverseRequest:
		if op == arpReverseRequest {
			b = append(b, "Reverse"...)
		} else {
			b = append(b, "Inverse"...)
		}
		b = appendHardwareAddr(append(b, " Request who-is "...), targetMAC)
		b = appendHardwareAddr(append(b, " tell "...), mac)
	case arpReverseReply:
		b = appendHardwareAddr(append(b, "Reverse Reply "...), targetMAC)
		b = appendARPAddr(append(b, " at "...), target, proto)
	case arpInverseReply:
		b = appendHardwareAddr(append(b, "Inverse Reply "...), mac)
		b = appendARPAddr(append(b, " at "...), addr, proto)
	default:
		b = append(appendInt(append(b, "Unknown ("...), op), ") "...)
		return appendUnknown(b, "\n\t", arp, true)
	}
	return appendInt(append(b, ", length "...), wireLen)
}

// appendHardware appends the kind of hardware, and the length of its addresses.
func appendHardware(b []byte, kind uint16, length int) []byte {
	const ethernet, infiniband = 1, 32
	switch kind {
	case ethernet:
		b = append(b, "Ethernet"...)
	case infiniband:
		b = append(b, "InfiniBand"...)
	default:
		b = append(appendInt(append(b, "Unknown Hardware ("...), kind), ')')
	}
	return append(appendInt(append(b, " (len "...), length), "), "...)
}

// appendProtocol appends whose addresses are asked for, and their length.
func appendProtocol(b []byte, typ uint16, length int) []byte {
	if name := etherName(typ); name != unknownEther {
		b = append(b, name...)
	} else {
		b = append(appendHex(append(b, "Unknown Protocol ("...), uint32(typ), 2), ')')
	}
	return append(appendInt(append(b, " (len "...), length), ')')
}

// appendARPAddr appends an address, if it is one of IPv4.
func appendARPAddr(b, addr []byte, proto uint16) []byte {
	switch {
	case proto != etherIPv4:
		return append(b, "<wrong proto type>"...)
	case len(addr) != 4:
		return append(b, "<wrong len>"...)
	}
	return appendAddr(b, addr)
}

// appendHardwareAddr appends a hardware address of any length.
func appendHardwareAddr(b, addr []byte) []byte {
	if len(addr) == 0 {
		return append(b, "<empty>"...)
	}
	for i, c := range addr {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&0xf])
	}
	return b
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
