package text

// tcpFlags are the letters of the flag bits, lowest bit first.
const tcpFlags = "FSRP.UEW"

// Flag bits.
const (
	tcpFIN = 1 << 0
	tcpSYN = 1 << 1
	tcpRST = 1 << 2
	tcpACK = 1 << 4
	tcpURG = 1 << 5
)

// appendTCP appends a segment.
func (p *Printer) appendTCP(b []byte, k *packet) []byte {
	const minHeaderLen = 20
	tcp := k.payload
	if len(tcp) < minHeaderLen {
		return append(p.appendHosts(b, k), "[|tcp]"...)
	}
	b = p.appendEnds(b, k)
	if p.o.Quick {
		b = append(b, "tcp "...)
		return appendInt(b, max(k.length-int(tcp[12]>>4)*4, 0))
	}
	flags := tcp[13]
	seq, ack, sackFrom := p.seqs.relative(k, flags, be32(tcp[4:]), be32(tcp[8:]))
	b = p.appendFlags(b, flags)
	headerLen := int(tcp[12]>>4) * 4
	length := k.length - headerLen
	if headerLen < minHeaderLen || length < 0 {
		b = append(b, ", bad hdr length "...)
		return appendInt(b, headerLen)
	}
	if p.o.Verbose > 0 && !p.o.NoChecksums {
		b = appendTCPChecksum(b, k)
	}
	if p.o.Verbose > 1 || length > 0 || flags&(tcpSYN|tcpFIN|tcpRST) != 0 {
		b = append(b, ", seq "...)
		b = appendInt(b, seq)
		if length > 0 {
			b = append(b, ':')
			b = appendInt(b, seq+uint32(length))
		}
	}
	if flags&tcpACK != 0 {
		b = append(b, ", ack "...)
		b = appendInt(b, ack)
	}
	b = append(b, ", win "...)
	b = appendInt(b, be16(tcp[14:]))
	if flags&tcpURG != 0 {
		b = append(b, ", urg "...)
		b = appendInt(b, be16(tcp[18:]))
	}
	if headerLen > minHeaderLen {
		b = append(b, ", options ["...)
		if len(tcp) < headerLen {
			return appendCutOptions(b, tcp[minHeaderLen:], sackFrom)
		}
		b = appendTCPOptions(b, tcp[minHeaderLen:headerLen], sackFrom)
		b = append(b, ']')
	}
	b = append(b, ", length "...)
	b = appendInt(b, length)
	if dnsAt(be16(tcp), be16(tcp[2:])) == unicastDNS {
		return p.appendDNSOverTCP(b, tcp[headerLen:], length)
	}
	return appendStream(b, tcp[headerLen:])
}

// Kinds of options, from IANA's "TCP Option Kind Numbers".
const (
	optEnd       = 0
	optNoOp      = 1
	optMSS       = 2
	optWScale    = 3
	optSACKOK    = 4
	optSACK      = 5
	optTimestamp = 8
)

// appendCutOptions appends options that were not captured to their end: those
// that are whole, and the name of the one that is not.
func appendCutOptions(b, o []byte, sackFrom uint32) []byte {
	whole := 0
	for whole < len(o) {
		n := 1
		if kind := o[whole]; kind == optEnd {
			break
		} else if kind != optNoOp {
			if whole+1 == len(o) || o[whole+1] < 2 {
				break
			}
			n = int(o[whole+1])
		}
		if whole+n > len(o) {
			break
		}
		whole += n
	}
	b = appendTCPOptions(b, o[:whole], sackFrom)
	if whole > 0 {
		b = append(b, ',')
	}
	rest := o[whole:]
	if len(rest) >= 2 {
		b = appendOptionName(b, rest[0])
		if rest[0] == optSACK {
			b = appendInt(append(b, ' '), (int(rest[1])-2)/8)
			b = appendBlocks(append(b, ' '), rest[2:], sackFrom)
		}
	}
	b = append(b, " [|tcp]"...)
	if len(rest) >= 2 && whole > 0 {
		b = append(b, '>') // tcpdump's bracket, for what it has begun
	}
	return b
}

// appendOptionName appends the name of an option as it stands ahead of its
// value.
func appendOptionName(b []byte, kind byte) []byte {
	switch kind {
	case optMSS:
		return append(b, "mss"...)
	case optWScale:
		return append(b, "wscale"...)
	case optSACKOK:
		return append(b, "sackOK"...)
	case optSACK:
		return append(b, "sack"...)
	case optTimestamp:
		return append(b, "TS"...)
	}
	return appendInt(append(b, "unknown-"...), kind)
}

// appendTCPOptions appends options. SACK blocks are counted from sackFrom.
func appendTCPOptions(b, o []byte, sackFrom uint32) []byte {
	for first := true; len(o) > 0; first = false {
		if !first {
			b = append(b, ',')
		}
		kind := o[0]
		if kind == optEnd {
			return append(b, "eol"...)
		}
		if kind == optNoOp {
			b = append(b, "nop"...)
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return append(b, "[bad opt]"...)
		}
		value := o[2:o[1]]
		o = o[o[1]:]
		switch {
		case kind == optMSS && len(value) == 2:
			b = appendInt(append(b, "mss "...), be16(value))
		case kind == optWScale && len(value) == 1:
			b = appendInt(append(b, "wscale "...), value[0])
		case kind == optSACKOK && len(value) == 0:
			b = append(b, "sackOK"...)
		case kind == optSACK && len(value)%8 == 0:
			b = appendSACK(b, value, sackFrom)
		case kind == optTimestamp && len(value) == 8:
			b = appendInt(append(b, "TS val "...), be32(value))
			b = appendInt(append(b, " ecr "...), be32(value[4:]))
		default:
			b = appendInt(append(b, "unknown-"...), kind)
		}
	}
	return b
}

// appendSACK appends the blocks of a selective acknowledgement.
func appendSACK(b, blocks []byte, from uint32) []byte {
	b = appendInt(append(b, "sack "...), len(blocks)/8)
	return appendBlocks(append(b, ' '), blocks, from)
}

// appendBlocks appends the blocks that are whole.
func appendBlocks(b, blocks []byte, from uint32) []byte {
	for ; len(blocks) >= 8; blocks = blocks[8:] {
		b = appendInt(append(b, '{'), be32(blocks)-from)
		b = appendInt(append(b, ':'), be32(blocks[4:])-from)
		b = append(b, '}')
	}
	return b
}
