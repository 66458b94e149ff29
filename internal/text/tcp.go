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
		if len(tcp) < headerLen {
			return append(b, ", options [|tcp]"...)
		}
		b = append(b, ", options ["...)
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

// appendTCPOptions appends options, from IANA's "TCP Option Kind Numbers". SACK
// blocks are counted from sackFrom.
func appendTCPOptions(b, o []byte, sackFrom uint32) []byte {
	const (
		end       = 0
		noOp      = 1
		mss       = 2
		wscale    = 3
		sackOK    = 4
		sack      = 5
		timestamp = 8
	)
	for first := true; len(o) > 0; first = false {
		if !first {
			b = append(b, ',')
		}
		kind := o[0]
		if kind == end {
			return append(b, "eol"...)
		}
		if kind == noOp {
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
		case kind == mss && len(value) == 2:
			b = appendInt(append(b, "mss "...), be16(value))
		case kind == wscale && len(value) == 1:
			b = appendInt(append(b, "wscale "...), value[0])
		case kind == sackOK && len(value) == 0:
			b = append(b, "sackOK"...)
		case kind == sack && len(value)%8 == 0:
			b = appendSACK(b, value, sackFrom)
		case kind == timestamp && len(value) == 8:
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
	b = append(b, ' ')
	for ; len(blocks) >= 8; blocks = blocks[8:] {
		b = appendInt(append(b, '{'), be32(blocks)-from)
		b = appendInt(append(b, ':'), be32(blocks[4:])-from)
		b = append(b, '}')
	}
	return b
}
