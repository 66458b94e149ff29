package text

// appendIPv6 appends a packet, and what its extension headers say.
func (p *Printer) appendIPv6(b, ip []byte, wireLen int) []byte {
	const headerLen = 40
	switch {
	case len(ip) < headerLen:
		return append(b, " [|ip6]"...)
	case wireLen < headerLen:
		return appendInt(append(b, "truncated-ip6 "...), wireLen)
	}
	b = p.appendFamily(b, "IP6 ")
	if version := ip[0] >> 4; version != 6 {
		return append(appendInt(append(b, "version error: "...), version), " != 6"...)
	}
	k := packet{src: ip[8:24], dst: ip[24:40], proto: ip[6], length: int(be16(ip[4:]))}
	if missing := headerLen + k.length - wireLen; missing > 0 {
		b = appendInt(append(b, "truncated-ip6 - "...), missing)
		b = append(b, " bytes missing!"...)
	}
	if p.o.Verbose > 0 {
		b = appendIPv6Header(b, ip, k.length)
	}
	if k.length == 0 && k.proto == protoHopByHop {
		// A jumbogram, as BIG TCP makes them: RFC 2675.
		k.length = wireLen - headerLen
	}
	k.payload = ip[headerLen:min(len(ip), headerLen+k.length)]
	if isExtension(k.proto) {
		b = p.appendHosts(b, &k)
		k.named = true
	}
	for first := true; isExtension(k.proto); first = false {
		if len(k.payload) == 0 && !first {
			return b
		}
		var ok bool
		if b, ok = p.cutExtension(b, &k); !ok {
			return b
		}
	}
	return p.appendTransport(b, &k)
}

// isExtension says whether a header of this kind has another one behind it.
func isExtension(proto uint8) bool {
	switch proto {
	case protoHopByHop, protoRouting, protoFragment, protoDestOpts:
		return true
	}
	return false
}

// cutExtension appends what an extension header says, and takes it off. It is
// not ok if nothing can be told of what is behind it.
func (p *Printer) cutExtension(b []byte, k *packet) (_ []byte, ok bool) {
	const unit = 8 // bytes in which lengths are given
	h := k.payload
	if len(h) == 0 && k.proto == protoRouting {
		return append(b, " [|ip6]"...), false
	}
	n := unit
	if k.proto != protoFragment && len(h) > 1 {
		n += int(h[1]) * unit
	}
	switch k.proto {
	case protoFragment:
		b, ok = p.appendFragment(b, k)
	case protoRouting:
		if b, ok = p.appendRouting(b, h, n); ok && n > unit {
			k.end = routeEnd6(h[:n])
		}
	default:
		b, ok = p.appendOptionHeader(b, h, n, k.proto)
	}
	if !ok {
		return b, false
	}
	if k.length < n || len(h) < n {
		return append(b, " [|ip6]"...), false
	}
	k.proto = h[0]
	k.payload, k.length = h[n:], k.length-n
	return b, true
}

// extensionCut stands for a header that was not captured to its end.
func extensionCut(proto uint8) string {
	switch proto {
	case protoHopByHop:
		return " [|hbhopt]"
	case protoDestOpts:
		return " [|dstopt]"
	}
	return " [|frag6]"
}

// appendFragment appends where a fragment belongs. It is ok if it is the first.
func (p *Printer) appendFragment(b []byte, k *packet) (_ []byte, ok bool) {
	const headerLen = 8
	h := k.payload
	if len(h) < 4 || p.o.Verbose > 0 && len(h) < headerLen {
		return append(b, extensionCut(protoFragment)...), false
	}
	offset := be16(h[2:]) &^ 7
	b = append(b, "frag ("...)
	if p.o.Verbose > 0 {
		b = append(appendHex(b, be32(h[4:]), 4), ':')
	}
	b = append(appendInt(b, offset), '|')
	b = append(appendInt(b, k.length-headerLen), ')')
	if offset != 0 {
		return b, false
	}
	k.part = true
	b = append(b, ' ')
	return b, len(h) > headerLen
}

// appendRouting appends a routing header of n bytes: RFC 8200, 4.4, of types 0
// (RFC 5095), 2 (RFC 6275) and 4 (RFC 8754).
func (p *Printer) appendRouting(b, h []byte, n int) (_ []byte, ok bool) {
	const (
		fixedLen = 8
		source   = 0
		mobility = 2
		segments = 4
	)
	const cut = " [|rt6]"
	b = append(b, "RT6"...)
	if len(h) < 2 {
		return append(b, cut...), false
	}
	b = appendInt(append(b, " (len="...), h[1])
	if len(h) < 3 {
		return append(b, cut...), false
	}
	typ := h[2]
	b = appendInt(append(b, ", type="...), typ)
	if typ == source {
		b = append(b, " [Deprecated]"...)
	}
	if len(h) < 4 {
		return append(b, cut...), false
	}
	b = appendInt(append(b, ", segleft="...), h[3])
	if len(h) < fixedLen {
		return append(b, cut...), false
	}
	switch typ {
	case source, mobility:
		if reserved := be32(h[4:]); reserved != 0 || p.o.Verbose > 0 {
			b = appendShortHex(append(b, ", rsv="...), reserved)
		}
	case segments:
		b = appendInt(append(b, ", last-entry="...), h[4])
		if flags := h[5]; flags != 0 || p.o.Verbose > 0 {
			b = appendShortHex(append(b, ", flags="...), uint32(flags))
		}
		b = append(b, ", tag="...)
		b = appendBareHex(b, uint32(be16(h[6:])))
	default:
		return append(b, " (unknown type) (invalid)"...), false
	}
	if h[1]%2 == 1 {
		b = appendInt(append(b, " (invalid length "...), h[1])
		return append(b, ") (invalid)"...), false
	}
	for i := range (n - fixedLen) / 16 {
		at := fixedLen + 16*i
		if len(h) < at+16 {
			return append(b, cut...), false
		}
		b = append(appendInt(append(b, ", ["...), i), ']')
		b = appendAddr(b, h[at:at+16])
	}
	return append(b, ") "...), true
}

// routeEnd6 is where the route of a routing header ends: its first segment or,
// in the older types, its last address.
func routeEnd6(h []byte) []byte {
	const fixedLen, addrLen, segments = 8, 16, 4
	if h[2] == segments {
		return h[fixedLen : fixedLen+addrLen]
	}
	return h[len(h)-addrLen:]
}
