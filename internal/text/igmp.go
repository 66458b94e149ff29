package text

// Messages about groups: RFC 1112, RFC 2236 and RFC 3376.
const (
	igmpQuery    = 0x11
	igmpReportV1 = 0x12
	igmpReportV2 = 0x16
	igmpLeave    = 0x17
	igmpReportV3 = 0x22
)

// igmpCut stands for what was not captured of a message.
const igmpCut = " [|igmp]"

// appendIGMP appends a message about groups.
func (p *Printer) appendIGMP(b []byte, k *packet) []byte {
	m := k.payload
	switch {
	case p.o.Quick:
		return append(b, "igmp"...)
	case len(m) == 0:
		return append(b, igmpCut...)
	}
	b, ok := p.appendIGMPText(b, m, k.length)
	if !ok {
		return append(b, igmpCut...)
	}
	if p.o.Verbose > 0 && k.length >= 4 && len(m) >= k.length {
		if sum := fold(add(0, m[:k.length])); sum != 0xffff {
			b = append(appendBareHex(append(b, " bad igmp cksum "...), uint32(be16(m[2:]))), '!')
		}
	}
	return b
}

// appendIGMPText appends what a message says. It is not ok if the message is too
// short.
func (p *Printer) appendIGMPText(b, m []byte, length int) (_ []byte, ok bool) {
	const usual = 8 // bytes
	name := ""
	switch m[0] {
	case igmpQuery:
		b = append(b, "igmp query"...)
		if length >= 12 {
			return p.appendIGMPQuery3(append(b, " v3"...), m, length)
		}
		return appendIGMPQuery(b, m, length)
	case igmpReportV3:
		return p.appendIGMPReport(append(b, "igmp v3 report"...), m, length)
	case igmpReportV1:
		name = "igmp v1 report "
	case igmpReportV2:
		name = "igmp v2 report "
	case igmpLeave:
		name = "igmp leave "
	default:
		return appendInt(append(b, "igmp-"...), m[0]), true
	}
	if len(m) < usual {
		return b, false
	}
	b = appendAddr(append(b, name...), m[4:usual])
	if m[0] == igmpReportV1 && length != usual {
		b = append(appendInt(append(b, " [len "...), length), ']')
	}
	return b, true
}

// appendIGMPQuery appends what is asked in version 1 or 2, if it is not the
// usual.
func appendIGMPQuery(b, m []byte, length int) (_ []byte, ok bool) {
	const (
		size  = 8
		usual = 100 // tenths of a second
	)
	if len(m) < 2 {
		return b, false
	}
	switch time := m[1]; time {
	case 0:
		b = append(b, " v1"...)
	case usual:
		b = append(b, " v2"...)
	default:
		b = append(appendInt(append(b, " v2 [max resp time "...), time), ']')
	}
	if len(m) < size {
		return b, false
	}
	if be32(m[4:]) != 0 {
		b = append(appendAddr(append(b, " [gaddr "...), m[4:size]), ']')
	}
	if length != size {
		b = append(appendInt(append(b, " [len "...), length), ']')
	}
	return b, true
}

// appendIGMPQuery3 appends what is asked in version 3: RFC 3376, 4.1.
func (p *Printer) appendIGMPQuery3(b, m []byte, length int) (_ []byte, ok bool) {
	const (
		headerLen = 12
		usual     = 100 // tenths of a second
		minute    = 600
	)
	if length%4 != 0 {
		return appendInvalidLen(b, length), true
	}
	if len(m) < 2 {
		return b, false
	}
	time := int(m[1])
	if time >= 128 { // 4.1.1
		time = (time&0xf | 0x10) << (time>>4&7 + 3)
	}
	switch {
	case m[1] == usual:
	case time < minute:
		b = appendInt(append(b, " [max resp time "...), time/10)
		b = append(appendInt(append(b, '.'), time%10), "s]"...)
	default:
		b = append(appendSpan(append(b, " [max resp time "...), uint32(time/10)), ']')
	}
	switch {
	case len(m) < 8:
		return b, false
	case be32(m[4:]) == 0:
		return b, true
	}
	b = appendAddr(append(b, " [gaddr "...), m[4:8])
	if len(m) < headerLen {
		return b, false
	}
	switch n := int(be16(m[10:])); {
	case n == 0:
	case length < headerLen+4*n:
		b = append(b, " [invalid number of sources]"...)
	default:
		if b, ok = p.appendSources(b, m[headerLen:], n, 4); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

// appendIGMPReport appends the groups of a report: RFC 3376, 4.2.
func (p *Printer) appendIGMPReport(b, m []byte, length int) (_ []byte, ok bool) {
	const headerLen, least = 8, 16
	switch {
	case length < least || length%4 != 0:
		return appendInvalidLen(b, length), true
	case len(m) < headerLen:
		return b, false
	}
	return p.appendGroups(b, m, length, 4)
}

func appendInvalidLen(b []byte, length int) []byte {
	return append(appendInt(append(b, " [invalid len "...), length), ']')
}
