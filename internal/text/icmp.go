package text

// appendICMP appends a message, from IANA's "ICMP Type Numbers".
func (p *Printer) appendICMP(b []byte, k *packet) []byte {
	const (
		headerLen    = 8
		echoReply    = 0
		unreachable  = 3
		echoRequest  = 8
		timeExceeded = 11
	)
	m := k.payload
	if len(m) < headerLen {
		return append(b, "[|icmp]"...)
	}
	b = append(b, "ICMP "...)
	switch typ, code := m[0], m[1]; {
	case typ == echoReply:
		b = appendEcho(append(b, "echo reply"...), m)
	case typ == echoRequest:
		b = appendEcho(append(b, "echo request"...), m)
	case typ == unreachable:
		b = p.appendUnreachable(b, m)
	case typ == timeExceeded && code == 0:
		b = append(b, "time exceeded in-transit"...)
	default:
		b = appendTypeCode(b, typ, code)
	}
	b = append(b, ", length "...)
	return appendInt(b, k.length)
}

// appendUnreachable appends what could not be reached: the message ends in the
// packet that could not be delivered, or in the beginning of it.
func (p *Printer) appendUnreachable(b, m []byte) []byte {
	const (
		net        = 0
		host       = 1
		port       = 3
		needToFrag = 4
	)
	code, ip := m[1], m[8:]
	if len(ip) < 20 {
		return append(b, "unreachable [|icmp]"...)
	}
	dst := ip[16:20]
	switch code {
	case net:
		b = append(b, "net "...)
	case host:
		b = append(b, "host "...)
	}
	b = appendAddr(b, dst)
	switch code {
	case net, host:
		return append(b, " unreachable"...)
	case port:
		b = append(append(b, ' '), protoName(ip[9])...)
		if ports := int(ip[0]&0xf) * 4; len(ip) >= ports+4 {
			b = append(b, " port "...)
			b = p.appendPort(b, be16(ip[ports+2:]))
		}
		return append(b, " unreachable"...)
	case needToFrag:
		b = append(b, " unreachable - need to frag (mtu "...)
		b = appendInt(b, be16(m[6:]))
		return append(b, ')')
	}
	return appendInt(append(b, " unreachable - #"...), code)
}

// appendICMPv6 appends a message, from IANA's "ICMPv6 Parameters".
func (p *Printer) appendICMPv6(b []byte, k *packet) []byte {
	const (
		headerLen   = 8
		targetLen   = 24
		echoRequest = 128
		echoReply   = 129
		routerSol   = 133
		routerAdv   = 134
		neighborSol = 135
		neighborAdv = 136
		listeners   = 143 // RFC 3810
	)
	m := k.payload
	if len(m) < headerLen {
		return append(b, "[|icmp6]"...)
	}
	if p.o.Verbose > 0 {
		b = appendICMPv6Checksum(b, k)
	}
	b = append(b, "ICMP6, "...)
	switch typ := m[0]; {
	case typ == echoRequest:
		b = appendEcho(append(b, "echo request"...), m)
	case typ == echoReply:
		b = appendEcho(append(b, "echo reply"...), m)
	case typ == routerSol:
		b = p.appendEarlyLength(append(b, "router solicitation"...), k)
	case typ == routerAdv:
		b = p.appendEarlyLength(append(b, "router advertisement"...), k)
	case typ == neighborSol && len(m) >= targetLen:
		b = append(p.appendEarlyLength(append(b, "neighbor solicitation"...), k), ", who has "...)
		b = appendAddr(b, m[8:targetLen])
	case typ == neighborAdv && len(m) >= targetLen:
		b = append(p.appendEarlyLength(append(b, "neighbor advertisement"...), k), ", tgt is "...)
		b = appendAddr(b, m[8:targetLen])
		if p.o.Verbose > 0 {
			b = appendNeighborFlags(b, m[4])
		}
	case typ == listeners:
		b = append(b, "multicast listener report v2, "...)
		b = append(appendInt(b, be16(m[6:])), " group record(s)"...)
	default:
		b = appendTypeCode(b, typ, m[1])
	}
	if p.o.Verbose > 0 {
		return b
	}
	b = append(b, ", length "...)
	return appendInt(b, k.length)
}

// appendEarlyLength appends the length where tcpdump has it with -v.
func (p *Printer) appendEarlyLength(b []byte, k *packet) []byte {
	if p.o.Verbose == 0 {
		return b
	}
	return appendInt(append(b, ", length "...), k.length)
}

// appendNeighborFlags appends the flags of an advertisement: RFC 4861, 4.4.
func appendNeighborFlags(b []byte, flags uint8) []byte {
	b = append(b, ", Flags ["...)
	start := len(b)
	for i, name := range [...]string{"router", "solicited", "override"} {
		if flags&(0x80>>i) == 0 {
			continue
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(b, name...)
	}
	if len(b) == start {
		b = append(b, "none"...)
	}
	return append(b, ']')
}

// appendEcho appends what tells one echo from another.
func appendEcho(b, m []byte) []byte {
	b = appendInt(append(b, ", id "...), be16(m[4:]))
	return appendInt(append(b, ", seq "...), be16(m[6:]))
}

// appendTypeCode appends a message that has no words here.
func appendTypeCode(b []byte, typ, code uint8) []byte {
	b = appendInt(append(b, "type-"...), typ)
	return appendInt(append(b, " code-"...), code)
}
