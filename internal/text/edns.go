package text

import "slices"

// appendEDNS appends an OPT record: RFC 6891, 6.1.
func (d *dnsPrinter) appendEDNS(b, options []byte, size uint16, flags uint32) (_ []byte, ok bool) {
	const dnssecOK = 0x8000
	b = appendInt(append(b, " UDPsize="...), size)
	if flags&dnssecOK != 0 {
		b = append(b, " DO"...)
	}
	if len(options) == 0 {
		return b, true
	}
	b = append(b, " ["...)
	for len(options) > 0 && !d.full(b) {
		if len(options) < 4 {
			return b, false
		}
		n := 4 + int(be16(options[2:]))
		if n > len(options) {
			return b, false
		}
		b = d.appendEDNSOption(b, be16(options), options[4:n])
		if options = options[n:]; len(options) > 0 {
			b = append(b, ',')
		}
	}
	return append(b, ']'), true
}

// appendEDNSOption appends one option, from IANA's "DNS EDNS0 Option Codes".
func (d *dnsPrinter) appendEDNSOption(b []byte, code uint16, data []byte) []byte {
	const (
		subnet    = 8
		expire    = 9
		cookie    = 10
		keepAlive = 11
		padding   = 12
		maxData   = 64
	)
	names := [...]string{
		1: "LLQ", 2: "UL", 3: "NSID", 5: "DAU", 6: "DHU", 7: "N3U", subnet: "ECS", expire: "EXPIRE",
		cookie: "COOKIE", keepAlive: "KEEPALIVE", padding: "PADDING", 13: "CHAIN", 14: "KEY-TAG",
	}
	if int(code) < len(names) && names[code] != "" {
		b = append(b, names[code]...)
	} else {
		b = appendInt(append(b, "Opt"...), code)
	}
	if len(data) == 0 {
		return b
	}
	b = append(b, ' ')
	switch {
	case code == subnet:
		return appendSubnet(b, data)
	case code == expire && len(data) == 4:
		return append(appendInt(b, be32(data)), " sec"...)
	case code == keepAlive && len(data) == 2:
		b = appendInt(b, be16(data)/10)
		b = appendInt(append(b, '.'), be16(data)%10)
		return append(b, " sec"...)
	case code == padding:
		return append(appendInt(append(b, '('), len(data)), ')')
	case code == cookie && (len(data) == 8 || len(data) >= 16 && len(data) <= 40):
		const clientCookie = 8
		b = appendDigits(b, data[:clientCookie])
		if len(data) > clientCookie {
			b = appendDigits(append(b, ' '), data[clientCookie:])
		}
		return b
	case code == expire, code == keepAlive, code == cookie:
		return append(b, " (invalid)"...)
	}
	if len(data) > maxData {
		return append(appendDigits(b, data[:maxData]), "..."...)
	}
	return appendDigits(b, data)
}

// appendSubnet appends the client's network: RFC 7871, 6.
func appendSubnet(b, data []byte) []byte {
	const headerLen = 4
	var addr [16]byte
	size := 0
	if len(data) >= headerLen && slices.Contains([]uint16{1, 2}, be16(data)) {
		size = []int{0, 4, 16}[be16(data)]
	}
	if size == 0 || int(data[2]) > 8*size || int(data[3]) > 8*size || (int(data[2])+7)/8 != len(data)-headerLen {
		return append(b, " (invalid)"...)
	}
	copy(addr[:], data[headerLen:])
	b = appendAddr(b, addr[:size])
	b = appendInt(append(b, '/'), data[2])
	return appendInt(append(b, '/'), data[3])
}

// appendDigits appends bytes as hexadecimal digits.
func appendDigits(b, data []byte) []byte {
	for _, c := range data {
		b = append(b, hexDigits[c>>4], hexDigits[c&0xf])
	}
	return b
}
