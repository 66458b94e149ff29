package text

import "strconv"

// appendIPv4Header appends what the header says besides the addresses, and
// begins another line. The checksum is checked if so wished. It is not ok if an
// option is cut.
func appendIPv4Header(b, ip []byte, headerLen, total int, check bool) (_ []byte, ok bool) {
	const fixedLen = 20
	b = strconv.AppendUint(append(b, "(tos 0x"...), uint64(ip[1]), 16)
	b = append(b, [...]string{"", ",ECT(1)", ",ECT(0)", ",CE"}[ip[1]&3]...)
	if ttl := ip[8]; ttl > 0 {
		b = appendInt(append(b, ", ttl "...), ttl)
	}
	b = appendInt(append(b, ", id "...), be16(ip[4:]))
	b = appendInt(append(b, ", offset "...), be16(ip[6:])&0x1fff*8)
	b = append(b, ", flags ["...)
	b = append(b, [...]string{"none", "+", "DF", "+, DF", "rsvd", "+, rsvd", "DF, rsvd", "+, DF, rsvd"}[ip[6]>>5]...)
	b = append(b, "], proto "...)
	b = appendNextHeader(b, ip[9])
	b = appendInt(append(b, ", length "...), total)
	ok = true
	if headerLen > fixedLen {
		b = append(b, ", options ("...)
		if b, ok = appendIPv4Options(b, ip[fixedLen:min(headerLen, len(ip))], headerLen-fixedLen); !ok {
			return append(b, " [|ip]"...), false
		}
		b = append(b, ')')
	}
	if check && headerLen <= len(ip) {
		if sum := fold(add(0, ip[:headerLen])); sum != 0xffff {
			field := be16(ip[10:])
			b = strconv.AppendUint(append(b, ", bad cksum "...), uint64(field), 16)
			b = strconv.AppendUint(append(b, " (->"...), uint64(repaired(field, sum)), 16)
			b = append(b, ")!"...)
		}
	}
	return append(b, ")\n    "...), ok
}

// appendIPv6Header does the same for IPv6, on the same line.
func appendIPv6Header(b, ip []byte, length int) []byte {
	b = append(b, '(')
	head := be32(ip)
	if class := head >> 20 & 0xff; class != 0 {
		b = appendHex(append(b, "class "...), class, 1)
		b = append(b, ", "...)
	}
	if label := head & 0xfffff; label != 0 {
		b = append(b, "flowlabel 0x"...)
		for shift := 16; shift >= 0; shift -= 4 {
			b = append(b, hexDigits[label>>shift&0xf])
		}
		b = append(b, ", "...)
	}
	b = appendInt(append(b, "hlim "...), ip[7])
	b = append(b, ", next-header "...)
	b = appendNextHeader(b, ip[6])
	b = appendInt(append(b, " payload length: "...), length)
	return append(b, ") "...)
}

// appendNextHeader appends a protocol by name and number.
func appendNextHeader(b []byte, proto uint8) []byte {
	name := "unknown"
	switch proto {
	case protoHopByHop:
		name = "Options"
	case protoICMP:
		name = "ICMP"
	case protoTCP:
		name = "TCP"
	case protoUDP:
		name = "UDP"
	case protoICMPv6:
		name = "ICMPv6"
	case protoIGMP:
		name = "IGMP"
	case protoIPv4:
		name = "IPIP"
	case protoIPv6:
		name = "IPv6"
	case protoFragment:
		name = "Fragment"
	case protoRouting:
		name = "Routing"
	case protoGRE:
		name = "GRE"
	case protoESP:
		name = "ESP"
	case protoAH:
		name = "AH"
	case protoSCTP:
		name = "SCTP"
	}
	b = append(b, name...)
	b = appendInt(append(b, " ("...), proto)
	return append(b, ')')
}

// appendTCPChecksum appends the checksum and what it should be, if all that it
// covers was captured.
func appendTCPChecksum(b []byte, k *packet) []byte {
	if len(k.payload) < k.length {
		return b
	}
	field := be16(k.payload[16:])
	b = appendHex(append(b, ", cksum "...), uint32(field), 2)
	if sum := k.sum(k.length); sum != 0xffff {
		b = appendHex(append(b, " (incorrect -> "...), uint32(repaired(field, sum)), 2)
		return append(b, ')')
	}
	return append(b, " (correct)"...)
}

// appendUDPChecksum does the same for a datagram.
func appendUDPChecksum(b []byte, k *packet, length int) []byte {
	field := be16(k.payload[6:])
	if field == 0 && len(k.src) == 4 {
		return append(b, "[no cksum] "...)
	}
	if len(k.payload) < length {
		return b
	}
	if sum := k.sum(length); sum != 0xffff {
		b = appendHex(append(b, "[bad udp cksum "...), uint32(field), 2)
		b = appendHex(append(b, " -> "...), uint32(repaired(field, sum)), 2)
		return append(b, "!] "...)
	}
	return append(b, "[udp sum ok] "...)
}

// sum is the sum over the pseudo-header and n bytes of the segment, 0xffff if
// its checksum is right: RFC 9293, 3.1.
func (k *packet) sum(n int) uint16 {
	dst := k.dst
	if k.end != nil {
		dst = k.end
	}
	s := add(add(uint32(k.proto)+uint32(n), k.src), dst)
	return fold(add(s, k.payload[:n]))
}

// repaired is the checksum with which the sum would be right.
func repaired(field, sum uint16) uint16 {
	return ^fold(uint32(sum) + uint32(^field))
}

// add adds 16-bit words to a sum of ones' complement, RFC 1071.
func add(s uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(be16(b))
		s = s>>16 + s&0xffff
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// appendICMPv6Checksum appends whether the checksum is right, if all that it
// covers was captured.
func appendICMPv6Checksum(b []byte, k *packet) []byte {
	if len(k.payload) < k.length {
		return b
	}
	field := be16(k.payload[2:])
	if sum := k.sum(k.length); sum != 0xffff {
		b = appendHex(append(b, "[bad icmp6 cksum "...), uint32(field), 2)
		b = appendHex(append(b, " -> "...), uint32(repaired(field, sum)), 2)
		return append(b, "!] "...)
	}
	return append(b, "[icmp6 sum ok] "...)
}
