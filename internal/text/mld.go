package text

// appendMLD appends a message of version 1: RFC 2710. tcpdump puts nothing
// between its name and this.
func appendMLD(b, m []byte) []byte {
	const size = 24
	if len(m) < size {
		return b
	}
	b = appendInt(append(b, "max resp delay: "...), be16(m[4:]))
	return appendAddr(append(b, " addr: "...), m[8:size])
}

// appendMLDQuery appends what is asked, in either version.
func (p *Printer) appendMLDQuery(b, m []byte, length int) (_ []byte, ok bool) {
	const version1, version2 = 24, 28
	switch {
	case length == version1:
		return appendMLD(b, m), true
	case length < version2:
		b = appendInt(append(b, " unknown-version (len "...), length)
		return append(b, ") "...), true
	}
	b = append(b, " v2"...)
	if len(m) < 6 {
		return b, false
	}
	delay := uint32(be16(m[4:]))
	if delay >= 1<<15 { // RFC 3810, 5.1.3
		delay = (delay&0xfff | 0x1000) << (delay>>12&7 + 3)
	}
	if p.o.Verbose > 0 {
		b = append(appendInt(append(b, " [max resp delay="...), delay), ']')
	}
	if len(m) < version1 {
		return b, false
	}
	b = appendAddr(append(b, " [gaddr "...), m[8:24])
	if len(m) < version2 {
		return b, false
	}
	if p.o.Verbose > 0 {
		b = appendQuerier(b, m[24], m[25])
	}
	switch n := int(be16(m[26:])); {
	case n == 0:
	case length < version2+16*n:
		b = append(b, " [invalid number of sources]"...)
	default:
		if b, ok = p.appendSources(b, m[version2:], n, 16); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

// appendQuerier appends the querier's variables: RFC 3810, 5.1.7 to 5.1.9.
func appendQuerier(b []byte, flags, interval uint8) []byte {
	const suppress, robustness = 0x08, 0x07
	if flags&suppress != 0 {
		b = append(b, " sflag"...)
	}
	if n := flags & robustness; n != 0 {
		b = appendInt(append(b, " robustness="...), n)
	}
	seconds := uint32(interval)
	if interval >= 128 {
		seconds = (seconds&0xf | 0x10) << (seconds>>4&7 + 3)
	}
	return appendInt(append(b, " qqi="...), seconds)
}

// appendMLDReport appends the groups of a report: RFC 3810, 5.2.
func (p *Printer) appendMLDReport(b, m []byte, length int) (_ []byte, ok bool) {
	const headerLen = 8
	switch {
	case length < headerLen:
		return appendInvalidLen(b, length), true
	case len(m) < headerLen:
		return b, false
	}
	return p.appendGroups(b, m, length, 16)
}
