package text

// Options of IPv6, from IANA's "Destination Options and Hop-by-Hop Options".
const (
	ip6OptPad1        = 0
	ip6OptPadN        = 1
	ip6OptRouterAlert = 5
	ip6OptJumbo       = 0xc2
	ip6OptHomeAddress = 0xc9
)

// appendOptionHeader appends a header of n bytes with options.
func (p *Printer) appendOptionHeader(b, h []byte, n int, proto uint8) (_ []byte, ok bool) {
	const headerLen = 2
	if len(h) < n {
		return append(b, extensionCut(proto)...), false
	}
	name := "HBH "
	if proto == protoDestOpts {
		name = "DSTOPT "
	}
	b = append(b, name...)
	if p.o.Verbose == 0 && proto == protoDestOpts {
		return b, true
	}
	for o := h[headerLen:n]; len(o) > 0; {
		size := 1
		if o[0] != ip6OptPad1 {
			if len(o) < 2 {
				return append(b, extensionCut(proto)...), false
			}
			size = 2 + int(o[1])
		}
		if size > len(o) {
			return append(b, extensionCut(proto)...), false
		}
		if out, ok := appendIPv6Option(b, o[:size], proto == protoHopByHop); !ok {
			return append(out, extensionCut(proto)...), false
		} else if p.o.Verbose > 0 {
			b = out
		}
		o = o[size:]
	}
	if p.o.Verbose > 0 {
		b = append(b, ' ')
	}
	return b, true
}

// appendIPv6Option appends an option that is whole. It is not ok if its length
// is not that of its kind.
func appendIPv6Option(b, o []byte, hop bool) (_ []byte, ok bool) {
	const addrLen = 16
	switch o[0] {
	case ip6OptPad1:
		return append(b, "(pad1)"...), true
	case ip6OptPadN:
		return append(b, "(padn)"...), true
	case ip6OptRouterAlert: // RFC 2711
		if len(o) != 4 {
			return appendOptionLength(b, "(rtalert: invalid len ", o), false
		}
		b = appendHex(append(b, "(rtalert: "...), uint32(be16(o[2:])), 2)
		return append(b, ") "...), true
	case ip6OptJumbo: // RFC 2675
		if len(o) != 6 {
			return appendOptionLength(b, "(jumbo: invalid len ", o), false
		}
		b = appendInt(append(b, "(jumbo: "...), be32(o[2:]))
		if !hop {
			b = append(b, " - not a hop-by-hop option"...)
		}
		return append(b, ") "...), true
	case ip6OptHomeAddress: // RFC 6275, 6.3
		if len(o) < 2+addrLen {
			return appendOptionLength(b, "(homeaddr: invalid len ", o), false
		}
		b = appendAddr(append(b, "(homeaddr: "...), o[2:2+addrLen])
		return append(b, ')'), true
	}
	b = appendHex(append(b, "(opt_type "...), uint32(o[0]), 1)
	return appendOptionLength(b, ": len=", o), true
}

func appendOptionLength(b []byte, what string, o []byte) []byte {
	return append(appendInt(append(b, what...), o[1]), ')')
}
