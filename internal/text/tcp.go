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
	const (
		portsLen     = 4
		minHeaderLen = 20
	)
	tcp := k.payload
	if len(tcp) < portsLen {
		k.named = false // tcpdump says it twice, too
		return append(p.appendHosts(b, k), "[|tcp]"...)
	}
	b = p.appendEnds(b, k)
	if len(tcp) < minHeaderLen {
		return append(b, " [|tcp]"...)
	}
	headerLen := int(tcp[12]>>4) * 4
	length := k.length - headerLen
	if headerLen < minHeaderLen {
		return appendBadHeader(appendUnsigned(append(b, " tcp "...), length), headerLen, "short, < ", minHeaderLen)
	}
	if p.o.Quick {
		b = appendUnsigned(append(b, "tcp "...), length)
		if length < 0 {
			b = appendBadHeader(b, headerLen, "long, > ", k.length)
		}
		return b
	}
	flags := tcp[13]
	seq, ack, sackFrom := p.seqs.relative(k, flags, be32(tcp[4:]), be32(tcp[8:]))
	b = p.appendFlags(b, flags)
	if length < 0 {
		return appendBadHeader(b, headerLen, "long, > ", k.length)
	}
	if p.o.Verbose > 0 && !p.o.NoChecksums && !k.part {
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
		var ok bool
		o := tcp[minHeaderLen:min(headerLen, len(tcp))]
		if b, ok = appendTCPOptions(append(b, ", options ["...), o, headerLen-minHeaderLen, sackFrom); !ok {
			return b
		}
		b = append(b, ']')
	}
	b = append(b, ", length "...)
	b = appendInt(b, length)
	return p.appendTCPData(b, tcp, headerLen, length)
}

// appendTCPData appends what a segment carries, of length bytes behind the
// header.
func (p *Printer) appendTCPData(b, tcp []byte, headerLen, length int) []byte {
	switch {
	case length == 0:
		return b
	case len(tcp) < headerLen:
		b = appendInt(append(b, " [remaining caplen("...), len(tcp))
		b = appendInt(append(b, ") < header length("...), headerLen)
		return append(b, ")] [|tcp]"...)
	}
	data := tcp[headerLen:]
	switch {
	case tcp[13]&tcpRST != 0 && p.o.Verbose > 0:
		return appendReason(b, data, length)
	case dnsAt(be16(tcp), be16(tcp[2:])) == unicastDNS:
		return p.appendDNSOverTCP(b, data, length)
	}
	return appendStream(b, data, length, p.o.Verbose > 0)
}

// appendReason appends what a RST carries, which can be why: RFC 9293, 3.5.3.
func appendReason(b, data []byte, length int) []byte {
	const shown = 30
	name := " [RST"
	if len(data) < length {
		name = " [!RST"
	}
	b = append(b, name...)
	if length > shown {
		b = append(b, '+')
	}
	b = append(b, ' ')
	return append(appendSafe(b, data[:min(len(data), length, shown)]), ']')
}

// appendBadHeader appends that the length of a header cannot be.
func appendBadHeader(b []byte, headerLen int, how string, bound int) []byte {
	b = appendInt(append(b, " [bad hdr length "...), headerLen)
	b = append(append(b, " - too "...), how...)
	return append(appendInt(b, bound), ']')
}

// appendUnsigned appends a length as tcpdump does, which has no negative ones.
func appendUnsigned(b []byte, n int) []byte { return appendInt(b, uint32(n)) }
