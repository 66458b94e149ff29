package text

// appendQuestion appends a question, and returns where it ends.
func (d *dnsPrinter) appendQuestion(b []byte, at int) (_ []byte, next int, ok bool) {
	name := at
	if next, ok = d.skipName(at); !ok || next+4 > len(d.msg) {
		return b, at, false
	}
	b = appendDNSType(append(b, ' '), be16(d.msg[next:]))
	class := be16(d.msg[next+2:])
	b = d.appendClass(b, class)
	if d.multicast && class&topBit != 0 {
		b = append(b, " (QU)"...)
	} else if d.multicast {
		b = append(b, " (QM)"...)
	}
	b, _, ok = d.appendName(append(b, "? "...), name)
	return b, next + 4, ok
}

// topBit of a class asks for an answer to one only, or says that an answer
// replaces others: RFC 6762, 18.12 and 18.13.
const topBit = 0x8000

// appendClass appends a class other than that of the Internet.
func (d *dnsPrinter) appendClass(b []byte, class uint16) []byte {
	if d.multicast {
		class &^= topBit
	}
	switch class {
	case 1:
		return b
	case 3:
		return append(b, " CHAOS"...)
	case 4:
		return append(b, " HS"...)
	case 255:
		return append(b, " ANY"...)
	}
	return append(appendInt(append(b, " (Class "...), class), ')')
}

// appendRecords appends n records with commas between, as far as the message
// goes.
func (d *dnsPrinter) appendRecords(b []byte, at, n int) (_ []byte, next int, ok bool) {
	for i := range n {
		if i > 0 {
			if at >= len(d.msg) {
				return b, at, false
			}
			b = append(b, ',')
		}
		if b, at, ok = d.appendRecord(b, at); !ok || d.full(b) {
			return b, at, false
		}
	}
	return b, at, true
}

// appendRecord appends one record, and returns where it ends.
func (d *dnsPrinter) appendRecord(b []byte, at int) (_ []byte, next int, ok bool) {
	const fixedLen = 10
	if d.verbose > 0 {
		if b, at, ok = d.appendName(append(b, ' '), at); !ok {
			return b, at, false
		}
	} else {
		at, ok = d.skipName(at)
	}
	if !ok || at+fixedLen > len(d.msg) {
		return b, len(d.msg), true
	}
	h := d.msg[at:]
	typ, class, ttl := be16(h), be16(h[2:]), be32(h[4:])
	if typ != dnsOPT {
		b = d.appendClass(b, class)
	}
	if d.multicast && class&topBit != 0 {
		b = append(b, " (Cache flush)"...)
	}
	if d.verbose > 2 && typ != dnsOPT {
		b = append(appendSpan(append(b, " ["...), ttl), ']')
	}
	b = appendDNSType(append(b, ' '), typ)
	at += fixedLen
	next = at + int(be16(h[8:]))
	if next > len(d.msg) {
		return b, next, false
	}
	if typ == dnsOPT {
		if d.multicast {
			class &^= topBit
		}
		b, ok = d.appendEDNS(b, d.msg[at:next], class, ttl)
	} else {
		b, ok = d.appendValue(b, typ, at, next)
	}
	return b, next, ok
}

// appendValue appends what a record says, between two places.
func (d *dnsPrinter) appendValue(b []byte, typ uint16, at, end int) (_ []byte, ok bool) {
	value := d.msg[at:] // a value goes on to its end, whatever its length says
	switch typ {
	case dnsA:
		if len(value) < 4 {
			return b, false
		}
		return appendAddr(append(b, ' '), value[:4]), true
	case dnsAAAA:
		if len(value) < 16 {
			return b, false
		}
		return appendAddr(append(b, ' '), value[:16]), true
	case dnsNS, dnsCNAME, dnsPTR, dnsDNAME:
		b, _, ok = d.appendName(append(b, ' '), at)
		return b, ok
	case dnsMX:
		if len(value) < 2 {
			return b, false
		}
		if b, _, ok = d.appendName(append(b, ' '), at+2); !ok {
			return b, false
		}
		return appendInt(append(b, ' '), be16(value)), true
	case dnsSRV:
		if len(value) < 6 {
			return b, false
		}
		if b, _, ok = d.appendName(append(b, ' '), at+6); !ok {
			return b, false
		}
		b = appendInt(append(b, ':'), be16(value[4:]))
		b = appendInt(append(b, ' '), be16(value))
		return appendInt(append(b, ' '), be16(value[2:])), true
	case dnsTXT:
		return d.appendStrings(b, d.msg[at:end])
	case dnsSOA:
		if d.verbose > 0 {
			return d.appendAuthority(b, at)
		}
	}
	return b, true
}

// appendStrings appends the strings of a TXT record.
func (d *dnsPrinter) appendStrings(b, value []byte) (_ []byte, ok bool) {
	for len(value) > 0 && !d.full(b) {
		n := 1 + int(value[0])
		b = append(b, ` "`...)
		if n > len(value) {
			return appendSafe(b, value[1:]), false
		}
		b = append(appendSafe(b, value[1:n]), '"')
		value = value[n:]
	}
	return b, true
}

// appendAuthority appends a SOA record.
func (d *dnsPrinter) appendAuthority(b []byte, at int) (_ []byte, ok bool) {
	const numbers = 5 // serial, refresh, retry, expire, minimum
	for range 2 {
		if b, at, ok = d.appendName(append(b, ' '), at); !ok {
			return b, false
		}
	}
	if at+4*numbers > len(d.msg) {
		return b, false
	}
	for i := range numbers {
		b = appendInt(append(b, ' '), be32(d.msg[at+4*i:]))
	}
	return b, true
}

// appendSpan appends seconds in years, weeks, days, hours, minutes and seconds.
func appendSpan(b []byte, seconds uint32) []byte {
	if seconds == 0 {
		return append(b, "0s"...)
	}
	for i, unit := range [...]uint32{365 * 24 * 3600, 7 * 24 * 3600, 24 * 3600, 3600, 60, 1} {
		if n := seconds / unit; n > 0 {
			b = append(appendInt(b, n), "ywdhms"[i])
			seconds %= unit
		}
	}
	return b
}
