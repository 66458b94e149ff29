package text

// maxDepth is how many packets in packets are shown.
const maxDepth = 4

// appendIGMP appends a message about groups: RFC 2236 and RFC 3376.
func (p *Printer) appendIGMP(b []byte, k *packet) []byte {
	const (
		query    = 0x11
		reportV1 = 0x12
		reportV2 = 0x16
		leave    = 0x17
		reportV3 = 0x22
	)
	m := k.payload
	switch {
	case p.o.Quick:
		return append(b, "igmp"...)
	case len(m) < 8:
		return append(b, "[|igmp]"...)
	}
	switch typ, group := m[0], m[4:8]; typ {
	case query:
		b = appendIGMPQuery(append(b, "igmp query"...), m, k.length)
	case reportV1:
		b = appendAddr(append(b, "igmp v1 report "...), group)
	case reportV2:
		b = appendAddr(append(b, "igmp v2 report "...), group)
	case leave:
		b = appendAddr(append(b, "igmp leave "...), group)
	case reportV3:
		b = appendInt(append(b, "igmp v3 report, "...), be16(m[6:]))
		b = append(b, " group record(s)"...)
		if p.o.Verbose > 0 {
			b = appendGroups(b, m[8:], int(be16(m[6:])))
		}
	default:
		b = appendInt(append(b, "igmp-"...), typ)
	}
	return b
}

// appendGroups appends n records of a report: RFC 3376, 4.2.4.
func appendGroups(b, records []byte, n int) []byte {
	const (
		headerLen = 8
		shown     = 16
	)
	modes := [...]string{1: "is_in", "is_ex", "to_in", "to_ex", "allow", "block"}
	for range min(n, shown) {
		if len(records) < headerLen {
			return append(b, " [|igmp]"...)
		}
		b = append(appendAddr(append(b, " [gaddr "...), records[4:headerLen]), ' ')
		if mode := int(records[0]); mode > 0 && mode < len(modes) {
			b = append(b, modes[mode]...)
		} else {
			b = append(appendInt(append(b, " [v3-report-#"...), mode), ']')
		}
		sources := int(be16(records[2:]))
		b = append(appendInt(append(b, ", "...), sources), " source(s)]"...)
		records = records[min(headerLen+4*sources, len(records)):]
	}
	return b
}

// appendIGMPQuery appends what is asked, if it is not the usual.
func appendIGMPQuery(b, m []byte, length int) []byte {
	const usual = 100 // tenths of a second
	version := " v2"
	switch {
	case length >= 12:
		version = " v3"
	case m[1] == 0:
		version = " v1"
	}
	b = append(b, version...)
	if m[1] != usual && m[1] != 0 || length >= 12 && m[1] == 0 {
		b = append(b, " [max resp time "...)
		if length >= 12 {
			time := int(m[1])
			if time >= 128 { // RFC 3376, 4.1.1
				time = (time&0xf | 0x10) << (time>>4&7 + 3)
			}
			if time < 600 {
				b = appendInt(append(appendInt(b, time/10), '.'), time%10)
				b = append(b, 's')
			} else {
				b = appendSpan(b, uint32(time/10))
			}
		} else {
			b = appendInt(b, m[1])
		}
		b = append(b, ']')
	}
	if be32(m[4:]) == 0 {
		return b
	}
	b = appendAddr(append(b, " [gaddr "...), m[4:8])
	if len(m) >= 12 && be16(m[10:]) > 0 {
		b = append(appendInt(append(b, ", "...), be16(m[10:])), " source(s)"...)
	}
	return append(b, ']')
}

// appendGRE appends a tunnel of RFC 2784 and RFC 2890, and what is in it.
func (p *Printer) appendGRE(b []byte, k *packet) []byte {
	const (
		checksum = 0x8000
		routing  = 0x4000
		key      = 0x2000
		sequence = 0x1000
		version  = 0x0007
		bridged  = 0x6558
	)
	m, length := k.payload, k.length
	if len(m) < 4 {
		return append(b, "[|gre]"...)
	}
	flags, typ := be16(m), be16(m[2:])
	b = appendInt(append(b, "GREv"...), flags&version)
	if flags&(version|routing) != 0 {
		return appendInt(append(b, ", length "...), length)
	}
	if p.o.Verbose > 0 {
		b = appendGREFlags(append(b, ", Flags ["...), flags)
	}
	at := 4
	for _, f := range [...]uint16{checksum, key, sequence} {
		if flags&f == 0 {
			continue
		}
		if len(m) < at+4 {
			return append(b, " [|gre]"...)
		}
		switch f {
		case checksum:
			if p.o.Verbose > 0 {
				b = appendShortHex(append(b, ", sum "...), uint32(be16(m[at:])))
			}
			b = appendShortHex(append(b, ", off "...), uint32(be16(m[at+2:])))
		case key:
			b = appendShortHex(append(b, ", key="...), be32(m[at:]))
		case sequence:
			b = appendInt(append(b, ", seq "...), be32(m[at:]))
		}
		at += 4
	}
	if p.o.Link {
		name := "unknown"
		switch {
		case typ == bridged:
			name = "TEB"
		case known(typ):
			name = etherName(typ)
		}
		b = append(append(b, ", proto "...), name...)
		b = append(appendHex(append(b, " ("...), uint32(typ), 2), ')')
	}
	b = appendInt(append(b, ", length "...), length)
	if p.o.Verbose > 0 {
		b = append(b, "\n\t"...)
	} else {
		b = append(b, ": "...)
	}
	return p.appendInner(b, typ, m[at:], length-at, typ == bridged)
}

// appendGREFlags appends what the header has, and a bracket.
func appendGREFlags(b []byte, flags uint16) []byte {
	start := len(b)
	for i, name := range [...]string{"checksum", "routing", "key", "sequence#"} {
		if flags&(0x8000>>i) == 0 {
			continue
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(append(b, name...), " present"...)
	}
	if len(b) == start {
		b = append(b, "none"...)
	}
	return append(b, ']')
}

// appendInner appends a packet in a packet.
func (p *Printer) appendInner(b []byte, typ uint16, inner []byte, length int, frame bool) []byte {
	if p.depth >= maxDepth {
		return append(b, "..."...)
	}
	p.depth++
	defer func() { p.depth-- }()
	switch {
	case frame:
		return p.appendEthernet(b, inner, length)
	case known(typ):
		return p.appendNetwork(b, typ, inner, length)
	}
	return appendHex(append(b, "gre-proto-"...), uint32(typ), 2)
}

// appendESP appends what is not encrypted: RFC 4303.
func appendESP(b []byte, k *packet) []byte {
	if len(k.payload) < 8 {
		return append(b, "ESP [|esp]"...)
	}
	b = appendHex(append(b, "ESP(spi="...), be32(k.payload), 4)
	b = appendShortHex(append(b, ",seq="...), be32(k.payload[4:]))
	return appendInt(append(b, "), length "...), k.length)
}

// cutAH appends an authentication header, RFC 4302, and takes it off.
func (p *Printer) cutAH(b []byte, k *packet) (_ []byte, ok bool) {
	const fixedLen = 12
	if len(k.payload) < fixedLen {
		return append(b, "AH [|ah]"...), false
	}
	words := int(k.payload[1])
	n := (words + 2) * 4
	if n < fixedLen || len(k.payload) < n || k.length < n {
		return append(b, "AH [|ah]"...), false
	}
	b = append(b, "AH("...)
	if p.o.Verbose > 0 {
		b = appendInt(append(b, "length="...), words)
		b = append(appendInt(append(b, '('), n), "-bytes),"...)
	}
	b = appendHex(append(b, "spi="...), be32(k.payload[4:]), 4)
	b = appendShortHex(append(b, ",seq="...), be32(k.payload[8:]))
	b = appendDigits(append(b, ",icv=0x"...), k.payload[fixedLen:n])
	k.proto, k.named = k.payload[0], true
	k.payload, k.length = k.payload[n:], k.length-n
	return append(b, "): "...), true
}
