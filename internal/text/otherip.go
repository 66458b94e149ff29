package text

// maxDepth is how many packets in packets are shown.
const maxDepth = 4

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
		return append(b, " [|gre]"...)
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
	return appendShortHex(append(b, "gre-proto-"...), uint32(typ))
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
	const (
		fixedLen = 12
		cut      = " [|ah]"
	)
	h := k.payload
	b = append(b, "AH"...)
	if len(h) < 2 {
		return append(b, cut...), false
	}
	n := (int(h[1]) + 2) * 4
	b = append(b, '(')
	if p.o.Verbose > 0 {
		b = appendInt(append(b, "length="...), h[1])
		b = append(appendInt(append(b, '('), n), "-bytes),"...)
	}
	if len(h) < fixedLen {
		return append(b, cut...), false
	}
	if reserved := be16(h[2:]); reserved != 0 {
		b = append(appendShortHex(append(b, "reserved="...), uint32(reserved)), "[MustBeZero],"...)
	}
	b = appendHex(append(b, "spi="...), be32(h[4:]), 4)
	b = appendShortHex(append(b, ",seq="...), be32(h[8:]))
	b = appendDigits(append(b, ",icv=0x"...), h[fixedLen:max(fixedLen, min(n, len(h)))])
	if n < fixedLen || len(h) < n || k.length < n {
		return append(b, cut...), false
	}
	k.proto, k.named = k.payload[0], true
	k.payload, k.length = k.payload[n:], k.length-n
	return append(b, "): "...), true
}
