package bpfc

// The extension headers that "protochain" looks behind, as the kernel takes no
// programs with loops. Packets with more are rejected.
const (
	maxHeaders4 = 3 // all of IPsec
	maxHeaders6 = 6
)

// protochain resolves the operand of "protochain".
func (r *resolver) protochain(o *operand) (formula, error) {
	switch o.q.proto {
	case "", "ip", "ip6":
	default:
		return nil, r.fail(KindQualifier, o, "protochain goes with ip and ip6",
			"%s has no chain of headers", o.q.proto)
	}
	n := o.num
	switch {
	case o.bits >= 0 || o.mask != "":
		return nil, r.maskOnHost(o)
	case o.kind == tokenName || o.kind == tokenEscaped:
		number, ok := r.names.protocol(o.text)
		if !ok {
			return nil, r.fail(KindUnknownName, o, protocolNameHint(o.text), "unknown protocol %s", o.text)
		}
		n = uint32(number)
	case o.kind != tokenNumber:
		return nil, r.fail(KindQualifier, o, "", "%s is an address, not a protocol", o.text)
	}
	l := r.layer
	if l.payload.base != nil {
		return nil, r.fail(KindLinkType, o, "", "%s cannot stand behind a tunnel", "protochain")
	}
	if r.chains++; r.chains > maxChains {
		return nil, r.fail(KindLimit, o, "", "%s stands more than "+utoa(maxChains)+" times in the expression", "protochain")
	}
	in4 := all(l.carries(etherIPv4), l.chain4(n))
	in6 := all(l.carries(etherIPv6), l.chain6(n))
	switch o.q.proto {
	case "ip":
		return in4, nil
	case "ip6":
		return in6, nil
	}
	return anyOf(in4, in6), nil
}

// headers are what "protochain" looks for behind an IP header.
type headers struct {
	l  layer
	n  uint32 // the protocol that one of them must have
	v6 bool   // extension headers of IPv6 are looked behind, too
}

// chain4 is true if a header of protocol n follows the IPv4 header, directly
// or behind authentication headers.
func (l layer) chain4(n uint32) formula {
	return headers{l, n, false}.from(l.in(ipv4Protocol, 1), l.headerLength(), maxHeaders4)
}

// chain6 is true if a header of protocol n follows the IPv6 header, directly
// or behind extension headers.
func (l layer) chain6(n uint32) formula {
	return headers{l, n, true}.from(l.in(ipv6Next, 1), l.calcs.constant(ipv6Length), maxHeaders6)
}

// from follows the chain from the header at a distance from the network
// header, whose protocol stands in another one. It goes on for up to most
// headers. Longer chains are no packets that somebody means to send.
func (h headers) from(protocol value, distance *calc, most int) formula {
	found := equal(protocol, h.n)
	more := equal(protocol, protoAH)
	extension := anyOf(equal(protocol, protoHopByHop), equal(protocol, protoOptions),
		equal(protocol, protoRouting), equal(protocol, protoFragment))
	if most == 0 {
		if h.v6 {
			more = anyOf(extension, more)
		}
		return anyOf(found, all(more, rejected{}))
	}
	at := place{distance, h.l.payload.off + h.l.net}
	if distance.op == calcConstant {
		at = place{off: at.off + distance.k}
	}
	next, size := at.field(0, 1), at.field(1, 1)

	// As in libpcap, the header behind an authentication header is looked for
	// at a distance from the network header. Few packets have two of them.
	left := most - 1
	if h.v6 {
		left = min(left, 1)
	}
	behindAH := all(more, loaded(size), h.from(next, h.units(size, 2, 2), left))
	if !h.v6 {
		return anyOf(found, behindAH)
	}
	further := h.l.calcs.calculate(aluAdd, h.units(size, 1, 3), distance)
	behind := all(loaded(size), h.from(next, further, most-1))
	return anyOf(found, fork{extension, behind, behindAH})
}

// units returns the length of a header whose field counts units of 1<<shift
// bytes, without the first ones.
func (h headers) units(size value, first uint32, shift uint32) *calc {
	s := h.l.calcs
	n := s.calculate(aluAdd, s.value(size), s.constant(first))
	return s.calculate(aluLsh, n, s.constant(shift))
}
