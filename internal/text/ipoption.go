package text

// Options of IPv4, from IANA's "IP Option Numbers".
const (
	ipOptEnd         = 0
	ipOptNoOp        = 1
	ipOptRecord      = 7
	ipOptTimestamp   = 68
	ipOptTraceroute  = 82
	ipOptSecurity    = 130
	ipOptLooseRoute  = 131
	ipOptStrictRoute = 137
	ipOptRouterAlert = 148
)

// appendIPv4Options appends options of length bytes, of which o was captured.
// They are not ok if one is cut.
func appendIPv4Options(b, o []byte, length int) (_ []byte, ok bool) {
	for first := true; length > 0; first = false {
		if !first {
			b = append(b, ',')
		}
		if len(o) == 0 {
			return b, false
		}
		code, n := o[0], 1
		b = appendIPv4OptionName(b, code)
		if code != ipOptEnd && code != ipOptNoOp {
			if len(o) < 2 {
				return b, false
			}
			if n = int(o[1]); n < 2 || n > length {
				return appendBadLength(b, n), true
			}
			if n > len(o) {
				return append(b, " [truncated-option]"...), false
			}
		}
		if code == ipOptEnd {
			return b, true
		}
		b = appendIPv4Option(b, o[:n])
		o, length = o[n:], length-n
	}
	return b, true
}

func appendBadLength(b []byte, n int) []byte {
	return append(appendInt(append(b, " [bad length "...), n), ']')
}

func appendIPv4OptionName(b []byte, code uint8) []byte {
	switch code {
	case ipOptEnd:
		return append(b, "EOL"...)
	case ipOptNoOp:
		return append(b, "NOP"...)
	case ipOptRecord:
		return append(b, "RR"...)
	case ipOptTimestamp:
		return append(b, "timestamp"...)
	case ipOptTraceroute:
		return append(b, "traceroute"...)
	case ipOptSecurity:
		return append(b, "security"...)
	case ipOptLooseRoute:
		return append(b, "LSRR"...)
	case ipOptStrictRoute:
		return append(b, "SSRR"...)
	case ipOptRouterAlert:
		return append(b, "RA"...)
	}
	return appendInt(append(b, "unknown "...), code)
}

// appendIPv4Option appends what an option says that is whole.
func appendIPv4Option(b, o []byte) []byte {
	switch o[0] {
	case ipOptRecord, ipOptLooseRoute, ipOptStrictRoute:
		return appendRoute(b, o)
	case ipOptTimestamp:
		return appendTimestamps(b, o)
	case ipOptRouterAlert:
		if len(o) < 4 {
			return appendBadLength(b, len(o))
		}
		if value := be16(o[2:]); value != 0 {
			b = appendInt(append(b, " value "...), value)
		}
	}
	return b
}

// routeEnd is the last address of a source route among options, or nil.
func routeEnd(o []byte) []byte {
	const least = 7
	for len(o) > 1 && o[0] != ipOptEnd {
		n := 1
		if o[0] != ipOptNoOp {
			if n = int(o[1]); n < 2 || n > len(o) {
				return nil
			}
			if (o[0] == ipOptLooseRoute || o[0] == ipOptStrictRoute) && n >= least {
				return o[n-4 : n]
			}
		}
		o = o[n:]
	}
	return nil
}

// appendRoute appends the addresses of a route: RFC 791, 3.1.
func appendRoute(b, o []byte) []byte {
	const first = 3
	if len(o) < first {
		return appendBadLength(b, len(o))
	}
	if (len(o)+1)%4 != 0 {
		b = appendBadLength(b, len(o))
	}
	next := int(o[2]) - 1
	if next < first || (next+1)%4 != 0 || next > len(o)+1 {
		b = append(appendInt(append(b, " [bad ptr "...), o[2]), ']')
	}
	for at := first; at+4 <= len(o); at += 4 {
		b = appendAddr(append(b, ' '), o[at:at+4])
		if next > at {
			b = append(b, ',')
		}
	}
	return b
}

// appendTimestamps appends times, and the addresses they are of: RFC 791, 3.1.
func appendTimestamps(b, o []byte) []byte {
	const first = 4
	if len(o) < first {
		return append(appendInt(append(b, "[bad length "...), len(o)), ']')
	}
	b = append(b, " TS{"...)
	kind, size := o[3]&0xf, 8
	if kind == 0 {
		size = 4
	}
	if (len(o)-first)%size != 0 {
		b = append(appendInt(append(b, "[bad length "...), len(o)), ']')
	}
	next, at := int(o[2])-1, 0
	if next < first || (next-first)%size != 0 || next > len(o)+1 {
		b = append(appendInt(append(b, "[bad ptr "...), o[2]), ']')
	}
	switch kind {
	case 0:
		b = append(b, "TSONLY"...)
	case 1:
		b = append(b, "TS+ADDR"...)
	case 3:
		b = append(b, "PRESPEC"...)
	default:
		b = append(appendInt(append(b, "[bad ts type "...), kind), ']')
	}
	if kind <= 3 && kind != 2 {
		for at = first; at+size <= len(o); at += size {
			if at == next {
				b = append(b, " ^"...)
			}
			b = append(appendInt(append(b, ' '), be32(o[at+size-4:])), '@')
			if size == 8 {
				b = appendAddr(b, o[at:at+4])
			}
		}
	}
	if at == next {
		b = append(b, " ^ "...)
	}
	if missed := o[3] >> 4; missed > 0 {
		b = appendInt(append(b, " ["...), missed)
		return append(b, " hops not recorded]} "...)
	}
	return append(b, '}')
}
