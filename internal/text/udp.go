package text

// appendUDP appends a datagram.
func (p *Printer) appendUDP(b []byte, k *packet) []byte {
	const headerLen = 8
	if len(k.payload) < 4 {
		return append(p.appendHosts(b, k), " [|udp]"...)
	}
	b = p.appendEnds(b, k)
	switch {
	case k.length < headerLen:
		return appendInt(append(b, "truncated-udp "...), k.length)
	case len(k.payload) < 6:
		return append(b, " [|udp]"...)
	}
	length := int(be16(k.payload[4:]))
	if length == 0 && k.length > 1<<16-1 {
		length = k.length // a jumbogram: RFC 2675
	}
	switch {
	case length < headerLen:
		return appendInt(append(b, "truncated-udplength "...), length)
	case len(k.payload) < headerLen:
		return append(b, " [|udp]"...)
	}
	here := min(length, k.length)
	if !p.o.NoChecksums && !k.part && (p.o.Verbose > 1 || p.o.Verbose > 0 && len(k.src) == 16) {
		b = appendUDPChecksum(b, k, here)
	}
	if port := dnsAt(be16(k.payload), be16(k.payload[2:])); port != noDNS && !p.o.Quick {
		return p.appendDNS(b, k.payload[headerLen:min(len(k.payload), here)], here-headerLen, port)
	}
	if !p.o.Quick {
		data := k.payload[headerLen:min(len(k.payload), here)]
		if out, ok := p.appendOverlay(b, data, here-headerLen, be16(k.payload), be16(k.payload[2:])); ok {
			return out
		}
	}
	if length > here && !k.part {
		b = appendInt(append(b, "UDP, bad length "...), length-headerLen)
		return appendInt(append(b, " > "...), here-headerLen)
	}
	return appendInt(append(b, "UDP, length "...), length-headerLen)
}
