package text

// appendGroups appends the records of a report of IGMPv3 or MLDv2, whose
// addresses have addrLen bytes. They are not ok if one is cut.
func (p *Printer) appendGroups(b, m []byte, length, addrLen int) (_ []byte, ok bool) {
	const (
		headerLen = 8
		fixedLen  = 4
		shown     = 16
	)
	n, recordLen := int(be16(m[6:])), fixedLen+addrLen
	b = append(appendInt(append(b, ", "...), n), " group record(s)"...)
	if p.o.Verbose == 0 {
		return b, true
	}
	for i, at := 0, headerLen; i < n; i++ {
		switch {
		case i == shown:
			return append(b, " ..."...), true
		case length < at+recordLen:
			return append(b, " [invalid number of groups]"...), true
		case len(m) < at+recordLen:
			return b, false
		}
		record := m[at:]
		b = append(appendAddr(append(b, " [gaddr "...), record[fixedLen:recordLen]), ' ')
		b = appendGroupMode(b, record[0], addrLen)
		sources := int(be16(record[2:]))
		if at += recordLen + addrLen*sources; length < at {
			return append(appendInt(append(b, " [invalid number of sources "...), sources), ']'), true
		}
		if b, ok = p.appendSources(b, record[recordLen:], sources, addrLen); !ok {
			return b, false
		}
		b = append(b, ']')
	}
	return b, true
}

// appendSources appends n addresses with -vv, and how many they are otherwise.
func (p *Printer) appendSources(b, addrs []byte, n, addrLen int) (_ []byte, ok bool) {
	const shown = 64
	if p.o.Verbose < 2 {
		return append(appendInt(append(b, ", "...), n), " source(s)"...), true
	}
	b = append(b, " {"...)
	for i := range n {
		switch {
		case len(addrs) < addrLen*(i+1):
			return b, false
		case i == shown:
			return append(b, " ... }"...), true
		}
		b = appendAddr(append(b, ' '), addrs[addrLen*i:addrLen*(i+1)])
	}
	return append(b, " }"...), true
}

// appendGroupMode appends the type of a record: RFC 3376, 4.2.12.
func appendGroupMode(b []byte, mode uint8, addrLen int) []byte {
	modes := [...]string{1: "is_in", "is_ex", "to_in", "to_ex", "allow", "block"}
	if mode > 0 && int(mode) < len(modes) {
		return append(b, modes[mode]...)
	}
	version := " [v3"
	if addrLen == 16 {
		version = " [v2"
	}
	b = appendInt(append(append(b, version...), "-report-#"...), mode)
	return append(b, ']')
}
