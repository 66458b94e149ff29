package bpfc

// The headers that "protochain" looks behind, as the kernel takes no programs
// with loops. With so many, programs are about as long as those of libpcap.
// Packets with more are rejected, also under "not": mostly they are none that
// somebody means to send, and libpcap comes to their end.
const (
	maxHeaders4 = 3 // all of IPsec
	maxHeaders6 = 4
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

// chain4 is true if a header of protocol n follows the IPv4 header, directly
// or behind authentication headers.
func (l layer) chain4(n uint32) formula {
	h := headers{l: l, n: n, most: maxHeaders4, first: 2, shift: 2}
	return h.from(l.in(ipv4Protocol, 1), l.headerLength())
}

// chain6 is true if a header of protocol n follows the IPv6 header, directly
// or behind extension headers.
func (l layer) chain6(n uint32) formula {
	h := headers{l: l, n: n, most: maxHeaders6, first: 1, shift: 3, v6: true}
	if h.isExtension(n) {
		h.most-- // what is looked for takes a test more behind each
	}
	return h.from(l.in(ipv6Next, 1), l.calcs.constant(ipv6Length))
}

// headers are what "protochain" looks for behind an IP header.
type headers struct {
	l     layer
	n     uint32 // the protocol that one of them must have
	most  int    // so many are looked behind
	first uint32 // the units of a header that its length does not count
	shift uint32 // a unit is 1<<shift bytes
	v6    bool   // extension headers of IPv6 are looked behind, too
}

// from follows the chain from the header at a distance from the network
// header, whose protocol stands in another one.
func (h headers) from(protocol value, distance *calc) formula {
	return anyOf(equal(protocol, h.n), all(h.goesOn(protocol), h.behind(distance, h.most-1)))
}

// behind is true if the header at a distance, behind which the chain goes on,
// leads to one of the protocol. Up to left more are looked behind.
//
// What is not the last header for sure is asked for its protocol at the end,
// with the instructions that all headers share.
func (h headers) behind(distance *calc, left int) formula {
	at := place{distance, h.l.payload.off + h.l.net}
	next, size := at.field(0, 1), at.field(1, 1)
	// As in libpcap, the last header must have a size.
	end := all(loaded(size), equal(next, h.n))
	if left == 0 && !h.v6 {
		return end
	}
	var rest formula = rejected{}
	if left > 0 {
		rest = h.behind(h.further(size, distance), left-1)
	}
	more := fork{h.goesOn(next), rest, end}
	if h.isExtension(h.n) {
		return fork{equal(next, h.n), end, more}
	}
	return more
}

// further returns the distance of the header behind one with a size.
func (h headers) further(size value, distance *calc) *calc {
	s := h.l.calcs
	units := s.calculate(aluAdd, s.value(size), s.constant(h.first))
	further := s.calculate(aluLsh, units, s.constant(h.shift))
	if h.v6 {
		// As in libpcap, what is behind IPv4's headers is looked for at a
		// distance from the network header. Few packets have two of them.
		further = s.calculate(aluAdd, further, distance)
	}
	return further
}

// goesOn is true if the chain goes on behind a header of the protocol.
func (h headers) goesOn(protocol value) formula {
	if !h.v6 {
		return equal(protocol, protoAH)
	}
	s := h.l.calcs
	product := s.calculate(aluMul, s.value(protocol), s.constant(extensionFactor))
	return not{test{product.value(), relAnyBit, extensionBits}}
}

// Of all numbers of protocols, those of headers that others can follow are
// those whose product with the factor has none of the bits: two instructions
// ask for five numbers.
const (
	extensionFactor = 0x34bf
	extensionBits   = 0xfff02122
)

// isExtension reports whether other headers can follow one of the protocol.
func (h headers) isExtension(protocol uint32) bool {
	switch protocol {
	case protoHopByHop, protoRouting, protoFragment, protoOptions:
		return h.v6
	}
	return protocol == protoAH
}
