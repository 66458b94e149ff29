package text

// maxMessage is where a line about DNS stops, in bytes: a message of 64 KiB
// can say, compressed, a thousand times as much.
const maxMessage = 2048

// A dnsPrinter prints one message.
type dnsPrinter struct {
	msg       []byte // what was captured of it
	verbose   int
	multicast bool // RFC 6762
	start     int  // where the line was when the message began
}

// A dnsPort is what is known of messages by their port.
type dnsPort uint8

const (
	noDNS dnsPort = iota
	unicastDNS
	multicastDNS
)

// dnsAt says whether one of the ports is one of DNS: that of servers, that of
// RFC 6762, and that of Istio's agent, to which queries are redirected.
func dnsAt(src, dst uint16) dnsPort {
	const (
		server = 53
		mdns   = 5353
		agent  = 15053
	)
	switch {
	case src == server || dst == server:
		return unicastDNS
	case src == mdns || dst == mdns:
		return multicastDNS
	case src == agent || dst == agent:
		return unicastDNS
	}
	return noDNS
}

// appendDNS appends a message of RFC 1035, of which msg was captured and length
// is all.
func (p *Printer) appendDNS(b, msg []byte, length int, port dnsPort) []byte {
	const headerLen = 12
	if length < headerLen {
		b = appendInt(append(b, "domain [length "...), length)
		return append(b, " < 12] (invalid)"...)
	}
	d := dnsPrinter{msg, p.o.Verbose, port == multicastDNS, len(b)}
	ok := len(msg) >= headerLen
	if ok {
		if msg[2]&0x80 != 0 {
			b, ok = d.appendResponse(b)
		} else {
			b, ok = d.appendQuery(b)
		}
	}
	switch {
	case d.full(b):
		return append(b, "..."...)
	case !ok:
		return append(b, " [|domain]"...)
	}
	b = appendInt(append(b, " ("...), length)
	return append(b, ')')
}

// appendDNSOverTCP appends what a segment has of a message, in front of which
// stands its length: RFC 1035, 4.2.2.
func (p *Printer) appendDNSOverTCP(b, data []byte, length int) []byte {
	switch {
	case length == 0:
		return b
	case length < 2:
		return append(b, " [DNS over TCP: length 1 < 2] (invalid)"...)
	case len(data) < 2:
		return append(b, " [|domain]"...)
	}
	length -= 2
	if prefix := be16(data); int(prefix) != length {
		b = appendInt(append(b, " [prefix length("...), prefix)
		b = appendInt(append(b, ") != length("...), length)
		return append(b, ")] (invalid)"...)
	}
	return p.appendDNS(append(b, ' '), data[2:], length, unicastDNS)
}

// full says that the line is long enough.
func (d *dnsPrinter) full(b []byte) bool { return len(b)-d.start > maxMessage }

// counts are how many records the sections have: questions, answers,
// authorities and additional ones.
func (d *dnsPrinter) counts() (qd, an, ns, ar int) {
	return int(be16(d.msg[4:])), int(be16(d.msg[6:])), int(be16(d.msg[8:])), int(be16(d.msg[10:]))
}

// appendResponse appends an answer. It is not ok if the message ends too soon.
func (d *dnsPrinter) appendResponse(b []byte) (_ []byte, ok bool) {
	qd, an, ns, ar := d.counts()
	b = appendInt(b, be16(d.msg))
	b = append(b, dnsOpcode(d.msg[2]>>3&0xf)...)
	b = appendDNSError(b, d.code())
	if d.msg[2]&0x04 != 0 {
		b = append(b, '*')
	}
	if d.msg[3]&0x80 == 0 {
		b = append(b, '-')
	}
	if d.msg[2]&0x02 != 0 {
		b = append(b, '|')
	}
	if d.msg[3]&0x20 != 0 {
		b = append(b, '$')
	}
	if qd != 1 {
		b = appendCount(b, qd, 'q')
	}
	at := 12
	for i := range qd {
		if i > 0 {
			b = append(b, ',')
		}
		if d.verbose > 1 {
			b = append(b, " q:"...)
			b, at, ok = d.appendQuestion(b, at)
		} else {
			at, ok = d.skipName(at)
			at += 4
		}
		if !ok || d.full(b) {
			return b, false
		}
	}
	b = appendInt(append(b, ' '), an)
	b = appendInt(append(b, '/'), ns)
	b = appendInt(append(b, '/'), ar)
	if b, at, ok = d.appendRecords(b, at, an); !ok || d.verbose < 2 {
		return b, ok
	}
	return d.appendLastSections(b, at, ns, ar)
}

// appendQuery does the same for a query.
func (d *dnsPrinter) appendQuery(b []byte) (_ []byte, ok bool) {
	const (
		inverse   = 1
		unusual   = 0x06cf // bits that a query has no use for
		recursion = 0x01
		noChecks  = 0x10
	)
	qd, an, ns, ar := d.counts()
	opcode := d.msg[2] >> 3 & 0xf
	b = append(appendInt(b, be16(d.msg)), dnsOpcode(opcode)...)
	if d.msg[2]&recursion != 0 {
		b = append(b, '+')
	}
	if d.msg[3]&noChecks != 0 {
		b = append(b, '%')
	}
	if flags := be16(d.msg[2:]); flags&unusual != 0 {
		b = appendShortHex(append(b, " [b2&3="...), uint32(flags))
		b = append(b, ']')
	}
	if opcode == inverse {
		if qd != 0 {
			b = appendCount(b, qd, 'q')
		}
		if an != 1 {
			b = appendCount(b, an, 'a')
		}
	} else {
		if an != 0 {
			b = appendCount(b, an, 'a')
		}
		if qd != 1 {
			b = appendCount(b, qd, 'q')
		}
	}
	if ns != 0 {
		b = appendCount(b, ns, 'n')
	}
	if ar != 0 {
		b = append(appendInt(append(b, " ["...), ar), "au]"...)
	}
	at := 12
	for range qd {
		if b, at, ok = d.appendQuestion(b, at); !ok || d.full(b) {
			return b, false
		}
	}
	if d.verbose < 2 {
		return b, true
	}
	if b, at, ok = d.appendRecords(b, at, an); !ok {
		return b, false
	}
	return d.appendLastSections(b, at, ns, ar)
}

// appendLastSections appends authorities and additional records.
func (d *dnsPrinter) appendLastSections(b []byte, at, ns, ar int) (_ []byte, ok bool) {
	if at < len(d.msg) && ns > 0 {
		if b, at, ok = d.appendRecords(append(b, " ns:"...), at, ns); !ok {
			return b, false
		}
		ns = 0
	}
	if at < len(d.msg) && ar > 0 {
		b, _, ok = d.appendRecords(append(b, " ar:"...), at, ar)
		return b, ok
	}
	return b, ns == 0 && ar == 0
}

// appendCount appends how many records there are where one would not say so.
func appendCount(b []byte, n int, kind byte) []byte {
	return append(appendInt(append(b, " ["...), n), kind, ']')
}

// code is the response code, with the bits that EDNS adds: RFC 6891, 6.1.3.
func (d *dnsPrinter) code() int {
	code := int(d.msg[3] & 0xf)
	qd, an, ns, ar := d.counts()
	at, ok := 12, true
	for range qd {
		if at, ok = d.skipName(at); !ok {
			return code
		}
		at += 4
	}
	for i := range an + ns + ar {
		at, ok = d.skipName(at)
		if ok && i >= an+ns && at+5 <= len(d.msg) && be16(d.msg[at:]) == dnsOPT {
			return code | int(d.msg[at+4])<<4
		}
		if !ok || at+10 > len(d.msg) {
			return code
		}
		at += 10 + int(be16(d.msg[at+8:]))
	}
	return code
}
