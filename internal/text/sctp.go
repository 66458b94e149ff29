package text

// appendSCTP appends ports and chunks of RFC 9260.
func (p *Printer) appendSCTP(b []byte, k *packet) []byte {
	const (
		headerLen   = 12
		chunkHeader = 4
		shown       = 16
	)
	if len(k.payload) < headerLen {
		return append(p.appendHosts(b, k), "[|sctp]"...)
	}
	b = p.appendEnds(b, k)
	b = append(b, "sctp"...)
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
			if size >= chunkHeader && len(rest) < size {
				return append(b, " [|sctp]"...)
			}
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
		}
		b = appendChunk(b, rest[:size])
		size = (size + 3) &^ 3
		left -= size
		rest = rest[min(size, len(rest)):]
	}
	return b
}

// appendChunk appends a chunk's type, and what it says: RFC 9260, 3.3.
func appendChunk(b, chunk []byte) []byte {
	const (
		data        = 0
		initiate    = 1
		initiateAck = 2
		sack        = 3
	)
	b = appendChunkType(b, chunk[0])
	v := chunk[4:]
	switch typ := chunk[0]; {
	case typ == data && len(v) >= 12:
		before := len(b)
		for i, letter := range [...]string{"(U)", "(B)", "(E)"} {
			if chunk[1]&(4>>i) != 0 {
				b = append(b, letter...)
			}
		}
		if len(b) > before {
			b = append(b, ' ')
		}
		b = appendField(b, "TSN: ", be32(v))
		b = appendField(b, "SID: ", uint32(be16(v[4:])))
		b = appendField(b, "SSEQ ", uint32(be16(v[6:])))
		b = appendShortHex(append(b, "[PPID "...), be32(v[8:]))
		return append(b, "] "...)
	case (typ == initiate || typ == initiateAck) && len(v) >= 16:
		b = appendField(b, "init tag: ", be32(v))
		b = appendField(b, "rwnd: ", be32(v[4:]))
		b = appendField(b, "OS: ", uint32(be16(v[8:])))
		b = appendField(b, "MIS: ", uint32(be16(v[10:])))
		return appendField(b, "init TSN: ", be32(v[12:]))
	case typ == sack && len(v) >= 12:
		b = appendField(b, "cum ack ", be32(v))
		b = appendField(b, "a_rwnd ", be32(v[4:]))
		b = appendField(b, "#gap acks ", uint32(be16(v[8:])))
		return appendField(b, "#dup tsns ", uint32(be16(v[10:])))
	}
	return b
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
