package text

// Types of ICMP, from IANA's "ICMP Type Numbers".
const (
	icmpEchoReply      = 0
	icmpUnreachable    = 3
	icmpSourceQuench   = 4
	icmpRedirect       = 5
	icmpEchoRequest    = 8
	icmpAdvertisement  = 9
	icmpSolicitation   = 10
	icmpTimeExceeded   = 11
	icmpBadParameter   = 12
	icmpTimestamp      = 13
	icmpTimestampReply = 14
	icmpInformation    = 15
	icmpInformed       = 16
	icmpMask           = 17
	icmpMaskReply      = 18
)

// appendICMP appends a message, and with it the packet that it is about.
func (p *Printer) appendICMP(b []byte, k *packet) []byte {
	m := k.payload
	out, ok := p.appendICMPText(append(b, "ICMP "...), m)
	if !ok {
		return append(out[:len(b)], " [|icmp]"...)
	}
	b = appendInt(append(out, ", length "...), k.length)
	if p.o.Verbose == 0 {
		return b
	}
	if !k.part && len(m) >= k.length {
		if sum := fold(add(0, m[:k.length])); sum != 0xffff {
			field := be16(m[2:])
			b = appendBareHex(append(b, " (wrong icmp cksum "...), uint32(field))
			b = appendBareHex(append(b, " (->"...), uint32(repaired(field, sum)))
			b = append(b, ")!)"...)
		}
	}
	switch m[0] {
	case icmpSourceQuench, icmpRedirect:
		b, _ = p.appendQuoted(b, m)
	case icmpUnreachable, icmpTimeExceeded, icmpBadParameter:
		if b, ok = p.appendQuoted(b, m); ok {
			b = appendICMPExtension(b, m, k.length)
		}
	}
	return b
}

// appendQuoted appends the packet that an error is about, or the beginning of
// it, which the message has behind its header. It is not ok if it is not there.
func (p *Printer) appendQuoted(b, m []byte) (_ []byte, ok bool) {
	const headerLen = 8
	b = append(b, "\n\t"...)
	if len(m) < headerLen+4 || be16(m[headerLen+2:]) == 0 {
		return append(b, " [|icmp]"...), false
	}
	quoted := m[headerLen:]
	length := int(be16(quoted[2:]))
	return p.appendInner(b, etherIPv4, quoted[:min(length, len(quoted))], length, false), true
}

// appendICMPText appends what a message says. It is not ok if the message is too
// short for that.
func (p *Printer) appendICMPText(b, m []byte) (_ []byte, ok bool) {
	if len(m) < 2 {
		return b, false
	}
	typ, code := m[0], m[1]
	if len(m) < icmpNeeds(typ, code) {
		return b, false
	}
	switch typ {
	case icmpEchoReply:
		return appendEcho(append(b, "echo reply"...), m), true
	case icmpEchoRequest:
		return appendEcho(append(b, "echo request"...), m), true
	case icmpUnreachable:
		return p.appendUnreachable(b, m)
	case icmpSourceQuench:
		return append(b, "source quench"...), true
	case icmpRedirect:
		return appendRedirect(b, m), true
	case icmpAdvertisement:
		return appendAdvertisement(b, m)
	case icmpSolicitation:
		return append(b, "router solicitation"...), true
	case icmpTimeExceeded:
		switch code {
		case 0:
			return append(b, "time exceeded in-transit"...), true
		case 1:
			return append(b, "ip reassembly time exceeded"...), true
		}
		return appendInt(append(b, "time exceeded-#"...), code), true
	case icmpBadParameter:
		if code != 0 {
			return appendInt(append(b, "parameter problem - code "...), code), true
		}
		return appendInt(append(b, "parameter problem - octet "...), m[4]), true
	case icmpTimestamp:
		return appendEchoNumbers(append(b, "time stamp query"...), m), true
	case icmpTimestampReply:
		return appendICMPTimes(b, m), true
	case icmpInformation:
		return append(b, "information request"...), true
	case icmpInformed:
		return append(b, "information reply"...), true
	case icmpMask:
		return append(b, "address mask request"...), true
	case icmpMaskReply:
		return appendHex(append(b, "address mask is "...), be32(m[8:]), 4), true
	}
	return appendInt(append(b, "type-#"...), typ), true
}

// icmpNeeds is how long a message has to be, in bytes. Errors are told with the
// destination of the packet that they are about.
func icmpNeeds(typ, code uint8) int {
	const quotedDst = 8 + 20
	switch typ {
	case icmpEchoReply, icmpEchoRequest, icmpAdvertisement, icmpTimestamp:
		return 8
	case icmpUnreachable, icmpRedirect, icmpTimeExceeded:
		return quotedDst
	case icmpBadParameter:
		if code == 0 {
			return 5
		}
	case icmpTimestampReply:
		return 20
	case icmpMaskReply:
		return 12
	}
	return 2
}

// appendEcho appends what tells one echo from another.
func appendEcho(b, m []byte) []byte {
	b = appendInt(append(b, ", id "...), be16(m[4:]))
	return appendInt(append(b, ", seq "...), be16(m[6:]))
}

// appendEchoNumbers does the same in the form that queries for times have.
func appendEchoNumbers(b, m []byte) []byte {
	b = appendInt(append(b, " id "...), be16(m[4:]))
	return appendInt(append(b, " seq "...), be16(m[6:]))
}

// appendICMPTimes appends the times of a reply: RFC 792.
func appendICMPTimes(b, m []byte) []byte {
	b = appendEchoNumbers(append(b, "time stamp reply"...), m)
	for i, what := range [...]string{": org ", ", recv ", ", xmit "} {
		ms := be32(m[8+4*i:])
		seconds := ms / 1000
		b = appendPadded(append(b, what...), seconds/3600, 2)
		b = appendPadded(append(b, ':'), seconds/60%60, 2)
		b = appendPadded(append(b, ':'), seconds%60, 2)
		b = appendPadded(append(b, '.'), ms%1000, 3)
	}
	return b
}

// appendPadded appends n with at least so many digits.
func appendPadded(b []byte, n uint32, digits int) []byte {
	for limit := uint32(10); digits > 1; digits-- {
		if n < limit {
			for range digits - 1 {
				b = append(b, '0')
			}
			break
		}
		limit *= 10
	}
	return appendInt(b, n)
}

// appendAdvertisement appends the routers of an advertisement: RFC 1256.
func appendAdvertisement(b, m []byte) (_ []byte, ok bool) {
	const (
		headerLen = 8
		entryLen  = 8
		words     = entryLen / 4
	)
	b = append(b, "router advertisement lifetime "...)
	lifetime := uint32(be16(m[6:]))
	switch {
	case lifetime < 60:
		b = appendInt(b, lifetime)
	case lifetime < 3600:
		b = appendPadded(append(appendInt(b, lifetime/60), ':'), lifetime%60, 2)
	default:
		b = appendPadded(append(appendInt(b, lifetime/3600), ':'), lifetime/60%60, 2)
		b = appendPadded(append(b, ':'), lifetime%60, 2)
	}
	n, size := int(m[4]), m[5]
	b = append(appendInt(append(b, ' '), n), ':')
	if size != words {
		return append(appendInt(append(b, " [size "...), size), ']'), true
	}
	for i := range n {
		at := headerLen + entryLen*i
		if len(m) < at+entryLen {
			return b, false
		}
		b = append(appendAddr(append(b, " {"...), m[at:at+4]), ' ')
		b = append(appendInt(b, be32(m[at+4:])), '}')
	}
	return b, true
}
