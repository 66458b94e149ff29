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
	end      []byte // of a source route, which checksums are for; or nil
	proto    uint8
	part     bool   // it is the first fragment, and others have the rest
	named    bool   // src and dst stand in the line already
	payload  []byte // what was captured of it
	length   int    // what IP says it is, in bytes
}

// appendIPv4 appends a packet. wireLen is how much of it there was on the wire,
// and bounds one that does not know its own length.
func (p *Printer) appendIPv4(b, ip []byte, wireLen int) []byte {
	const (
		minHeaderLen = 20
		moreToCome   = 0x2000
	)
	if len(ip) == 0 {
		return append(b, " [|ip]"...)
	}
	if version := ip[0] >> 4; version != 4 {
		b = appendInt(append(b, "IP"...), version)
		if version == 6 {
			b = append(b, ", wrong link-layer encapsulation"...)
		}
		return append(b, invalid...)
	}
	b = p.appendFamily(b, "IP ")
	headerLen := int(ip[0]&0xf) * 4
	switch {
	case len(ip) < minHeaderLen:
		return append(b, " [|ip]"...)
	case wireLen < minHeaderLen:
		return appendInt(append(b, "truncated-ip "...), wireLen)
	case headerLen < minHeaderLen:
		return appendInt(append(b, "bad-hlen "...), headerLen)
	}
	total := int(be16(ip[2:]))
	if total == 0 {
		// Offloaded segments of more than 64 KiB have no length of their own.
		total = wireLen
	}
	if missing := total - wireLen; missing > 0 {
		b = appendInt(append(b, "truncated-ip - "...), missing)
		b = append(b, " bytes missing! "...)
	}
	if total < headerLen {
		return appendInt(append(b, "bad-len "...), total)
	}
	k := packet{src: ip[12:16], dst: ip[16:20], proto: ip[9], length: total - headerLen}
	fragment := be16(ip[6:])
	k.part = fragment&moreToCome != 0
	ip = ip[:min(len(ip), total)]
	if p.o.Verbose > 0 {
		var ok bool
		if b, ok = appendIPv4Header(b, ip, headerLen, total, !p.o.NoChecksums); !ok {
			return b
		}
	}
	if fragment&0x1fff != 0 {
		return p.appendProto(p.appendHosts(b, &k), k.proto)
	}
	if len(ip) < headerLen {
		if !hasPorts(k.proto) {
			b = p.appendHosts(b, &k)
		}
		b = appendInt(append(b, " [remaining caplen("...), len(ip))
		b = appendInt(append(b, ") < header length("...), headerLen)
		return append(b, ")] [|ip]"...)
	}
	if headerLen > minHeaderLen && p.o.Verbose > 0 {
		k.end = routeEnd(ip[minHeaderLen:headerLen])
	}
	k.payload = ip[headerLen:]
	return p.appendTransport(b, &k)
}

// invalid stands behind what cannot be meant.
const invalid = " (invalid)"

// hasPorts says whether a protocol's ports stand behind the addresses.
func hasPorts(proto uint8) bool {
	return proto == protoTCP || proto == protoUDP || proto == protoSCTP
}

// appendTransport appends addresses and what IP carries.
func (p *Printer) appendTransport(b []byte, k *packet) []byte {
	if !hasPorts(k.proto) {
		b = p.appendHosts(b, k)
		k.named = true
	}
	for n := 0; k.proto == protoAH && n < maxDepth; n++ {
		var ok bool
		if b, ok = p.cutAH(b, k); !ok {
			return b
		}
	}
	four := len(k.src) == 4
	switch k.proto {
	case protoTCP:
		return p.appendTCP(b, k)
	case protoUDP:
		return p.appendUDP(b, k)
	case protoSCTP:
		return p.appendSCTP(b, k)
	case protoICMP:
		if !four {
			return append(b, "[ICMP requires IPv4] (invalid)"...)
		}
		return p.appendICMP(b, k)
	case protoICMPv6:
		if four {
			return append(b, "[ICMPv6 requires IPv6] (invalid)"...)
		}
		return p.appendICMPv6(b, k)
	case protoIGMP:
		if !four {
			return append(b, "[IGMP requires IPv4] (invalid)"...)
		}
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
