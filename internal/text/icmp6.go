package text

// Types of ICMPv6, from IANA's "ICMPv6 Parameters".
const (
	icmp6Unreachable   = 1
	icmp6TooBig        = 2
	icmp6TimeExceeded  = 3
	icmp6BadParameter  = 4
	icmp6EchoRequest   = 128
	icmp6EchoReply     = 129
	mldQuery           = 130
	mldReport          = 131
	mldDone            = 132
	icmp6Solicitation  = 133
	icmp6Advertisement = 134
	neighborSolicit    = 135
	neighborAdvert     = 136
	icmp6Redirect      = 137
	mldReport2         = 143
)

// icmp6Cut stands for what was not captured of a message.
const icmp6Cut = " [|icmp6]"

// appendICMPv6 appends a message.
func (p *Printer) appendICMPv6(b []byte, k *packet) []byte {
	m := k.payload
	if k.length == 0 {
		return append(b, "ICMP6, length 0 (invalid)"...)
	}
	if p.o.Verbose > 0 && !k.part {
		b = appendICMPv6Checksum(b, k)
	}
	if len(m) == 0 {
		return append(b, icmp6Cut...)
	}
	name := icmp6Name(m[0])
	b = append(append(b, "ICMP6, "...), name...)
	if name == "" {
		b = appendInt(append(b, "unknown icmp6 type ("...), m[0])
		b = appendInt(append(b, "), length "...), k.length)
		if p.o.Verbose < 2 {
			b = appendUnknown(b, "\n\t", m, false)
		}
		return b
	}
	if p.o.Verbose > 0 && m[0] >= icmp6Solicitation && m[0] <= icmp6Redirect {
		b = appendInt(append(b, ", length "...), k.length)
	}
	if m[0] == icmp6Unreachable && len(m) > 1 && unreachable6(m[1]) == "" && p.o.Verbose < 2 {
		b = append(appendInt(append(b, ", unknown unreach code ("...), m[1]), ')')
		return appendUnknown(b, "\n\t", m, false)
	}
	b, ok := p.appendICMPv6Text(b, m, k.length)
	if !ok {
		return append(b, icmp6Cut...)
	}
	if p.o.Verbose > 0 {
		return b
	}
	return appendInt(append(b, ", length "...), k.length)
}

// icmp6Name is what a type is called, or empty.
func icmp6Name(typ uint8) string {
	switch typ {
	case icmp6Unreachable:
		return "destination unreachable"
	case icmp6TooBig:
		return "packet too big"
	case icmp6TimeExceeded:
		return "time exceeded in-transit"
	case icmp6BadParameter:
		return "parameter problem"
	case icmp6EchoRequest:
		return "echo request"
	case icmp6EchoReply:
		return "echo reply"
	case mldQuery:
		return "multicast listener query"
	case mldReport:
		return "multicast listener report"
	case mldDone:
		return "multicast listener done"
	case icmp6Solicitation:
		return "router solicitation"
	case icmp6Advertisement:
		return "router advertisement"
	case neighborSolicit:
		return "neighbor solicitation"
	case neighborAdvert:
		return "neighbor advertisement"
	case icmp6Redirect:
		return "redirect"
	case mldReport2:
		return "multicast listener report v2"
	}
	return ""
}

// appendICMPv6Text appends what a message says behind its name. It is not ok if
// the message is too short.
func (p *Printer) appendICMPv6Text(b, m []byte, length int) (_ []byte, ok bool) {
	if len(m) < 2 {
		return b, false
	}
	switch m[0] {
	case icmp6Unreachable:
		return p.appendUnreachable6(b, m)
	case icmp6TooBig:
		if len(m) < 8 {
			return b, false
		}
		return appendInt(append(b, ", mtu "...), be32(m[4:])), true
	case icmp6TimeExceeded:
		return appendTimeExceeded6(b, m)
	case icmp6BadParameter:
		return appendBadParameter6(b, m)
	case icmp6EchoRequest, icmp6EchoReply:
		if len(m) < 8 {
			return b, false
		}
		return appendEcho(b, m), true
	case mldQuery:
		return p.appendMLDQuery(b, m, length)
	case mldReport, mldDone:
		return appendMLD(b, m), true
	case mldReport2:
		return p.appendMLDReport(b, m, length)
	}
	return p.appendDiscovery(b, m, length)
}

// appendUnreachable6 appends what could not be reached: RFC 4443, 3.1.
func (p *Printer) appendUnreachable6(b, m []byte) (_ []byte, ok bool) {
	const (
		beyondScope = 2
		port        = 4
	)
	code := m[1]
	reason := unreachable6(code)
	if reason == "" {
		return append(appendInt(append(b, ", unknown unreach code ("...), code), ')'), true
	}
	b = append(append(b, ", "...), reason...)
	src, dst, ok := quotedHosts(m)
	if !ok {
		return b, false
	}
	switch code {
	case beyondScope:
		b = append(appendAddr(append(b, ' '), dst), ", source address "...)
		return appendAddr(b, src), true
	case port:
		return p.appendQuotedPort6(b, m[8:])
	}
	return appendAddr(append(b, ' '), dst), true
}

// unreachable6 says why something was not reached, or is empty. tcpdump has two
// spaces, too.
func unreachable6(code uint8) string {
	switch code {
	case 0:
		return "unreachable route"
	case 1:
		return " unreachable prohibited"
	case 2:
		return "beyond scope"
	case 3:
		return "unreachable address"
	case 4:
		return "unreachable port"
	}
	return ""
}

// quotedHosts are source and destination of the packet that an error is about.
func quotedHosts(m []byte) (src, dst []byte, ok bool) {
	const quotedLen = 8 + 40
	if len(m) < quotedLen {
		return nil, nil, false
	}
	return m[16:32], m[32:quotedLen], true
}

// appendQuotedPort6 appends the protocol and port that nobody listens on.
func (p *Printer) appendQuotedPort6(b, quoted []byte) (_ []byte, ok bool) {
	proto, rest := quoted[6], quoted[40:]
	for isExtension(proto) && len(rest) >= 8 {
		n := 8
		if proto != protoFragment {
			n += int(rest[1]) * 8
		}
		proto, rest = rest[0], rest[min(n, len(rest)):]
	}
	if proto != protoTCP && proto != protoUDP || len(rest) < 4 {
		return b, false
	}
	b = append(appendAddr(append(b, ", "...), quoted[24:40]), ' ')
	b = append(append(b, protoName(proto)...), " port "...)
	return p.appendPort(b, be16(rest[2:])), true
}

// appendTimeExceeded6 appends whose time was exceeded: RFC 4443, 3.3.
func appendTimeExceeded6(b, m []byte) (_ []byte, ok bool) {
	switch code := m[1]; code {
	case 0:
		_, dst, ok := quotedHosts(m)
		if !ok {
			return b, false
		}
		return appendAddr(append(b, " for "...), dst), true
	case 1:
		return append(b, " (reassembly)"...), true
	default:
		return append(appendInt(append(b, ", unknown code ("...), code), ')'), true
	}
}

// appendBadParameter6 appends what was wrong, and where: RFC 4443, 3.4, and RFC
// 7112.
func appendBadParameter6(b, m []byte) (_ []byte, ok bool) {
	if _, _, ok := quotedHosts(m); !ok {
		return b, false
	}
	what := [...]string{", erroneous", ", next header", ", option", ", incomplete header chain"}
	code := int(m[1])
	if code >= len(what) {
		return appendInt(append(b, ", code-#"...), code), true
	}
	b = append(append(b, what[code]...), " - octet "...)
	return appendInt(b, be32(m[4:])), true
}
