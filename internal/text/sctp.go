package text

// appendSCTP appends ports and chunks of RFC 9260.
func (p *Printer) appendSCTP(b []byte, k *packet) []byte {
	const (
		headerLen   = 12
		chunkHeader = 4
		shown       = 16
	)
	switch {
	case k.length < headerLen:
		b = appendInt(append(b, "truncated-sctp - "...), headerLen-k.length)
		return append(b, " bytes missing!"...)
	case len(k.payload) < headerLen:
		return append(b, " [|sctp]"...)
	}
	b = p.appendSCTPEnds(b, k)
	separator := " ("
	if p.o.Verbose > 1 {
		separator = "\n\t"
	}
	rest, left := k.payload[headerLen:], k.length-headerLen
	for n := 1; left > 0; n++ {
		if n > shown {
			return append(b, " ..."...)
		}
		if left >= chunkHeader && len(rest) < chunkHeader {
			return append(b, " [|sctp]"...)
		}
		size := chunkHeader
		if left >= chunkHeader {
			size = int(be16(rest[2:]))
		}
		if size >= chunkHeader && len(rest) < size && left >= chunkHeader && left >= -size&3 {
			return append(b, " [|sctp]"...)
		}
		b = append(appendInt(append(b, separator...), n), ") "...)
		if p.o.Verbose < 2 {
			separator = ", ("
		}
		switch {
		case left < chunkHeader:
			return append(b, "[chunk descriptor cut off at end of packet]"...)
		case size < chunkHeader:
			b = appendInt(append(b, "[Bad chunk length "...), size)
			return append(b, ", < size of chunk descriptor]"...)
		case left < -size&3:
			b = appendInt(append(b, "[Bad chunk length "...), size)
			return append(b, ", > remaining data in packet]"...)
		}
		var ok bool
		if b, ok = p.appendChunk(b, rest[:size]); !ok {
			b = appendInt(append(b, "bogus chunk length "...), size)
			return append(b, ']')
		}
		if len(rest) < (size+3)&^3 && size%4 != 0 {
			return append(b, " [|sctp]"...)
		}
		size = (size + 3) &^ 3
		left -= size
		rest = rest[min(size, len(rest)):]
	}
	return b
}

// appendSCTPEnds appends source and destination with the ports, which tcpdump
// has no names for here.
func (p *Printer) appendSCTPEnds(b []byte, k *packet) []byte {
	b = append(p.appendHost(b, k.src), '.')
	b = append(appendInt(b, be16(k.payload)), " > "...)
	b = append(p.appendHost(b, k.dst), '.')
	return append(appendInt(b, be16(k.payload[2:])), ": sctp"...)
}

// appendChunk appends a chunk's type, and what it says: RFC 9260, 3.3. It is not
// ok if the chunk is too short for its type.
func (p *Printer) appendChunk(b, chunk []byte) (_ []byte, ok bool) {
	const (
		data        = 0
		initiate    = 1
		initiateAck = 2
		sack        = 3
	)
	b = appendChunkType(b, chunk[0])
	v := chunk[4:]
	switch chunk[0] {
	case data:
		return p.appendChunkData(b, chunk[1], v)
	case initiate, initiateAck:
		if len(v) < 16 {
			return b, false
		}
		b = appendField(b, "init tag: ", be32(v))
		b = appendField(b, "rwnd: ", be32(v[4:]))
		b = appendField(b, "OS: ", uint32(be16(v[8:])))
		b = appendField(b, "MIS: ", uint32(be16(v[10:])))
		return appendField(b, "init TSN: ", be32(v[12:])), true
	case sack:
		if len(v) < 12 {
			return b, false
		}
		b = appendField(b, "cum ack ", be32(v))
		b = appendField(b, "a_rwnd ", be32(v[4:]))
		b = appendField(b, "#gap acks ", uint32(be16(v[8:])))
		b = appendField(b, "#dup tsns ", uint32(be16(v[10:])))
		return appendGaps(b, v)
	}
	return b, true
}

// appendChunkData appends where data belongs, and with -vv the data: RFC 9260,
// 3.3.1.
func (p *Printer) appendChunkData(b []byte, flags uint8, v []byte) (_ []byte, ok bool) {
	const headerLen = 12
	before := len(b)
	for i, letter := range [...]string{"(U)", "(B)", "(E)"} {
		if flags&(4>>i) != 0 {
			b = append(b, letter...)
		}
	}
	if len(b) > before {
		b = append(b, ' ')
	}
	if len(v) < headerLen {
		return b, false
	}
	b = appendField(b, "TSN: ", be32(v))
	b = appendField(b, "SID: ", uint32(be16(v[4:])))
	b = appendField(b, "SSEQ ", uint32(be16(v[6:])))
	b = append(appendPayloadName(append(b, "[PPID "...), be32(v[8:])), "] "...)
	v = v[headerLen:]
	switch {
	case len(v) == 0:
		return b, false
	case p.o.Verbose < 2:
		return b, true
	case p.o.Quick:
		return append(b, "[Payload]"...), true
	}
	b = appendUnknown(append(b, "[Payload:"...), "\n\t", v, true)
	return append(b, ']'), true
}

// appendPayloadName appends what uses the association, from IANA's "SCTP Payload
// Protocol Identifiers": those of mobile networks, which Kubernetes runs.
func appendPayloadName(b []byte, id uint32) []byte {
	switch id {
	case 3:
		return append(b, "M3UA"...)
	case 4:
		return append(b, "SUA"...)
	case 5:
		return append(b, "M2PA"...)
	case 18:
		return append(b, "S1AP"...)
	case 27:
		return append(b, "X2AP"...)
	}
	return appendShortHex(b, id)
}

// appendGaps appends what was received behind a gap, and what was received
// twice: RFC 9260, 3.3.4.
func appendGaps(b, v []byte) (_ []byte, ok bool) {
	const (
		headerLen = 12
		size      = 4
		shown     = 64
	)
	acked := be32(v)
	gaps, doubles := int(be16(v[8:])), int(be16(v[10:]))
	v = v[headerLen:]
	for n := 1; n <= gaps && len(v) > 0; n++ {
		if len(v) < size {
			return b, false
		}
		if n <= shown {
			b = appendInt(append(b, "\n\t\t[gap ack block #"...), n)
			b = appendInt(append(b, ": start = "...), acked+uint32(be16(v)))
			b = appendInt(append(b, ", end = "...), acked+uint32(be16(v[2:])))
			b = append(b, "] "...)
		}
		v = v[size:]
	}
	for n := 1; n <= doubles && len(v) > 0; n++ {
		if len(v) < size {
			return b, false
		}
		if n <= shown {
			b = appendInt(append(b, "\n\t\t[dup TSN #"...), n)
			b = append(appendInt(append(b, ": "...), be32(v)), "] "...)
		}
		v = v[size:]
	}
	return b, true
}

// appendField appends a number behind what it is, in brackets.
func appendField(b []byte, name string, n uint32) []byte {
	return append(appendInt(append(append(b, '['), name...), n), "] "...)
}

// appendChunkType appends a type's name, in tcpdump's words, in brackets.
func appendChunkType(b []byte, typ uint8) []byte {
	const forwardTSN = 0xc0
	names := [...]string{
		"DATA", "INIT", "INIT ACK", "SACK", "HB REQ", "HB ACK", "ABORT", "SHUTDOWN", "SHUTDOWN ACK",
		"OP ERR", "COOKIE ECHO", "COOKIE ACK", "ECN ECHO", "CWR", "SHUTDOWN COMPLETE", "AUTH",
	}
	b = append(b, '[')
	switch {
	case int(typ) < len(names):
		b = append(b, names[typ]...)
	case typ == forwardTSN: // RFC 3758
		b = append(b, "FOR CUM TSN"...)
	default:
		b = appendShortHex(append(b, "Unknown chunk type: "...), uint32(typ))
	}
	return append(b, "] "...)
}
