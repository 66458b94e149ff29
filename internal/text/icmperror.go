package text

// appendUnreachable appends what could not be reached: the message ends in the
// packet that could not be delivered, or in the beginning of it.
func (p *Printer) appendUnreachable(b, m []byte) (_ []byte, ok bool) {
	const (
		protocol   = 2
		port       = 3
		needToFrag = 4
	)
	code, quoted := m[1], m[8:]
	what, why := unreachable(code)
	b = appendAddr(append(b, what...), quoted[16:20])
	switch code {
	case protocol:
		b = appendInt(append(b, " protocol "...), quoted[9])
	case port:
		if b, ok = p.appendQuotedPort(b, quoted); !ok {
			return b, false
		}
	}
	b = append(append(b, " unreachable"...), why...)
	switch mtu := be16(m[6:]); {
	case code == needToFrag && mtu > 0:
		b = append(appendInt(append(b, " (mtu "...), mtu), ')')
	case why == " - #":
		b = appendInt(b, code)
	}
	return b, true
}

// unreachable says, of a code of RFC 792, RFC 1122 or RFC 1812, what was not
// reached, and why.
func unreachable(code uint8) (what, why string) {
	const net, host = "net ", "host "
	switch code {
	case 0:
		return net, ""
	case 1:
		return host, ""
	case 2, 3:
		return "", ""
	case 4:
		return "", " - need to frag"
	case 5:
		return "", " - source route failed"
	case 6:
		return net, " - unknown"
	case 7:
		return host, " - unknown"
	case 8:
		return "", " - source host isolated"
	case 9:
		return net, " - admin prohibited"
	case 10:
		return host, " - admin prohibited"
	case 11:
		return net, " - tos prohibited"
	case 12:
		return host, " - tos prohibited"
	case 13:
		return host, " - admin prohibited filter"
	case 14:
		return host, " - host precedence violation"
	case 15:
		return host, " - precedence cutoff"
	}
	return "", " - #"
}

// appendQuotedPort appends the protocol and port that nobody listens on.
func (p *Printer) appendQuotedPort(b, quoted []byte) (_ []byte, ok bool) {
	at, proto := int(quoted[0]&0xf)*4+2, quoted[9]
	if len(quoted) < at+2 {
		return b, false
	}
	port := be16(quoted[at:])
	if proto == protoTCP || proto == protoUDP {
		b = append(append(append(b, ' '), protoName(proto)...), " port "...)
		return p.appendPort(b, port), true
	}
	b = appendInt(append(b, " protocol "...), proto)
	return appendInt(append(b, " port "...), port), true
}

// appendRedirect appends which way a destination is reached better: RFC 792.
func appendRedirect(b, m []byte) []byte {
	code := m[1]
	b = append(b, "redirect"...)
	to := " to net "
	switch code {
	case 0:
	case 1:
		to = " to host "
	case 2:
		b = append(b, "-tos"...)
	case 3:
		b = append(b, "-tos"...)
		to = " to host "
	default:
		b = appendInt(append(b, "-#"...), code)
		to = " to "
	}
	b = appendAddr(append(b, ' '), m[24:28])
	return appendAddr(append(b, to...), m[4:8])
}
