package text

// Protocol numbers, from IANA's "Assigned Internet Protocol Numbers".
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIGMP     = 2
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoESP      = 50
	protoAH       = 51
	protoICMPv6   = 58
	protoNoNext   = 59
	protoDestOpts = 60
	protoSCTP     = 132
)

// A packet is what the layers above IP need of it.
type packet struct {
	src, dst []byte // 4 or 16 bytes each
	proto    uint8
	hops     bool   // there are hop-by-hop options
	named    bool   // src and dst stand in the line already
	payload  []byte // what was captured of it
	length   int    // what IP says it is, in bytes
}

// appendIPv4 appends a packet whose name stands there already. wireLen bounds
// a packet that does not know its own length.
func (p *Printer) appendIPv4(b, ip []byte, wireLen int) []byte {
	const minHeaderLen = 20
	if len(ip) < minHeaderLen {
		return append(b, "[|ip]"...)
	}
	headerLen := int(ip[0]&0xf) * 4
	if ip[0]>>4 != 4 || headerLen < minHeaderLen {
		b = append(b, "bad-header "...)
		return appendHex(b, uint32(ip[0]), 1)
	}
	total := int(be16(ip[2:]))
	if total == 0 {
		// Offloaded segments of more than 64 KiB have no length of their own.
		total = wireLen
	}
	if total < headerLen {
		b = append(b, "bad-len "...)
		return appendInt(b, total)
	}
	if p.o.Verbose > 0 {
		b = appendIPv4Header(b, ip, headerLen, total, !p.o.NoChecksums)
	}
	k := packet{src: ip[12:16], dst: ip[16:20], proto: ip[9], length: total - headerLen}
	offset := be16(ip[6:]) & 0x1fff
	ip = ip[:min(len(ip), total)]
	if len(ip) < headerLen {
		return append(b, "[|ip]"...)
	}
	k.payload = ip[headerLen:]
	if offset != 0 {
		return p.appendProto(p.appendHosts(b, &k), k.proto)
	}
	return p.appendTransport(b, &k)
}

// appendIPv6 appends a packet whose name stands there already, and what its
// extension headers say.
func (p *Printer) appendIPv6(b, ip []byte, wireLen int) []byte {
	const headerLen = 40
	if len(ip) < headerLen {
		return append(b, "[|ip6]"...)
	}
	if ip[0]>>4 != 6 {
		b = append(b, "bad-header "...)
		return appendHex(b, uint32(ip[0]), 1)
	}
	k := packet{src: ip[8:24], dst: ip[24:40], proto: ip[6], length: int(be16(ip[4:]))}
	if k.length == 0 && k.proto == protoHopByHop {
		// A jumbogram, as BIG TCP makes them: RFC 2675.
		k.length = wireLen - headerLen
	}
	if p.o.Verbose > 0 {
		b = appendIPv6Header(b, ip, k.length)
	}
	k.payload = ip[headerLen:min(len(ip), headerLen+k.length)]
	for isExtension(k.proto) {
		next, fragment, ok := nextHeader(&k)
		if !ok {
			return append(p.appendHosts(b, &k), "[|ip6]"...)
		}
		if k.proto == protoFragment {
			b = p.appendHosts(b, &k)
			b = append(b, "frag ("...)
			if p.o.Verbose > 0 {
				b = append(appendHex(b, be32(k.payload[4:]), 4), ':')
			}
			b = append(appendInt(b, fragment), '|')
			b = append(appendInt(b, next.length), ')')
			if fragment != 0 {
				return b
			}
			b = append(b, ' ')
			next.named = true
		}
		next.hops = next.hops || k.proto == protoHopByHop
		k = next
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

// nextHeader returns k without its first extension header, or the offset of a
// fragment that is not the first one, in bytes.
func nextHeader(k *packet) (next packet, fragment int, ok bool) {
	const unit = 8 // bytes in which lengths and offsets are given
	if len(k.payload) < unit {
		return packet{}, 0, false
	}
	n := unit
	if k.proto == protoFragment {
		fragment = int(be16(k.payload[2:]) &^ 7)
	} else {
		n += int(k.payload[1]) * unit
	}
	if len(k.payload) < n || k.length < n {
		return packet{}, 0, false
	}
	next = *k
	next.proto = k.payload[0]
	next.payload = k.payload[n:]
	next.length -= n
	return next, fragment, true
}

// appendTransport appends addresses and what IP carries.
func (p *Printer) appendTransport(b []byte, k *packet) []byte {
	switch k.proto {
	case protoTCP:
		return p.appendTCP(b, k)
	case protoUDP:
		return p.appendUDP(b, k)
	case protoSCTP:
		return p.appendSCTP(b, k)
	}
	b = p.appendHosts(b, k)
	if k.hops {
		b = append(b, "HBH "...)
	}
	for n := 0; k.proto == protoAH && n < maxDepth; n++ {
		var ok bool
		if b, ok = p.cutAH(b, k); !ok {
			return b
		}
	}
	switch k.proto {
	case protoTCP:
		return p.appendTCP(b, k)
	case protoUDP:
		return p.appendUDP(b, k)
	case protoICMP:
		return p.appendICMP(b, k)
	case protoICMPv6:
		return p.appendICMPv6(b, k)
	case protoIGMP:
		return p.appendIGMP(b, k)
	case protoGRE:
		return p.appendGRE(b, k)
	case protoESP:
		return appendESP(b, k)
	case protoIPv4:
		return p.appendInner(b, etherIPv4, k.payload, k.length, false)
	case protoIPv6:
		return p.appendInner(b, etherIPv6, k.payload, k.length, false)
	case protoNoNext:
		return append(b, "no next header"...)
	}
	b = p.appendProto(append(b, ' '), k.proto) // tcpdump has two spaces, too
	b = append(b, ' ')
	return appendInt(b, k.length)
}

// appendHosts appends source and destination without ports, if they do not
// stand there.
func (p *Printer) appendHosts(b []byte, k *packet) []byte {
	if k.named {
		return b
	}
	b = p.appendHost(b, k.src)
	b = append(b, " > "...)
	b = p.appendHost(b, k.dst)
	return append(b, ": "...)
}

// appendEnds appends source and destination with the ports that both TCP and
// UDP begin with.
func (p *Printer) appendEnds(b []byte, k *packet) []byte {
	if !k.named {
		b = append(p.appendHost(b, k.src), '.')
	}
	b = p.appendPort(b, be16(k.payload))
	b = append(b, " > "...)
	if !k.named {
		b = append(p.appendHost(b, k.dst), '.')
	}
	b = p.appendPort(b, be16(k.payload[2:]))
	return append(b, ": "...)
}

// appendProto appends a protocol, by its name where that is known and wanted.
func (p *Printer) appendProto(b []byte, proto uint8) []byte {
	if name := protoName(proto); name != "" && !p.o.Numeric {
		return append(b, name...)
	}
	return appendInt(append(b, "ip-proto-"...), proto)
}

// protoName is the name of a protocol as protocols(5) has it, or empty.
func protoName(proto uint8) string {
	switch proto {
	case protoICMP:
		return "icmp"
	case protoIGMP:
		return "igmp"
	case protoGRE:
		return "gre"
	case protoESP:
		return "esp"
	case protoAH:
		return "ah"
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoSCTP:
		return "sctp"
	}
	return ""
}

// appendUDP appends a datagram.
func (p *Printer) appendUDP(b []byte, k *packet) []byte {
	const headerLen = 8
	if len(k.payload) < headerLen {
		return append(p.appendHosts(b, k), "[|udp]"...)
	}
	b = p.appendEnds(b, k)
	length := int(be16(k.payload[4:]))
	if length == 0 {
		length = k.length // a jumbogram: RFC 2675
	}
	if length < headerLen {
		b = append(b, "truncated-udplength "...)
		return appendInt(b, length)
	}
	if !p.o.NoChecksums && (p.o.Verbose > 1 || p.o.Verbose > 0 && len(k.src) == 16) {
		b = appendUDPChecksum(b, k, length)
	}
	if port := dnsAt(be16(k.payload), be16(k.payload[2:])); port != noDNS && !p.o.Quick {
		data := k.payload[headerLen:]
		return p.appendDNS(b, data[:min(len(data), length-headerLen)], length-headerLen, port)
	}
	b = append(b, "UDP, length "...)
	return appendInt(b, length-headerLen)
}
