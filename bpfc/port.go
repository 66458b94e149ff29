package bpfc

import (
	"strconv"
	"strings"
)

// proto resolves the operand of "proto".
func (r *resolver) proto(o *operand) (formula, error) {
	var n uint32
	switch {
	case o.bits >= 0 || o.mask != "":
		return nil, r.maskOnHost(o)
	case o.kind == tokenNumber:
		n = o.num
	case o.kind == tokenName || o.kind == tokenEscaped:
		var known bool
		if n, known = r.protocolNumber(o); !known {
			return nil, r.fail(KindUnknownName, o, protocolNameHint(o.text),
				"unknown protocol %s", o.text)
		}
	default:
		return nil, r.fail(KindQualifier, o, "", "%s is an address, not a protocol", o.text)
	}
	most := uint32(0xff)
	if o.q.proto == "ether" {
		most = 0xffff
	}
	if n > most {
		return nil, r.fail(KindRange, o, "",
			"protocol number %s is greater than "+utoa(most), o.text)
	}
	switch o.q.proto {
	case "":
		return r.layer.above(n), nil
	case "ip":
		return r.layer.above4(n), nil
	case "ip6":
		return r.layer.above6(n), nil
	case "ether":
		return r.layer.carries(n), nil
	case "iso":
		return r.layer.aboveOSI(n), nil
	case "isis":
		return r.layer.isis(n), nil
	}
	return nil, r.fail(KindQualifier, o, "proto goes with ip, ip6, ether, iso and isis",
		"%s does not encapsulate protocols by number", o.q.proto)
}

// protocolNumber returns the number of a protocol that an operand names.
func (r *resolver) protocolNumber(o *operand) (n uint32, ok bool) {
	switch o.q.proto {
	case "ether":
		t, ok := etherType(o.text)
		return uint32(t), ok
	case "iso":
		n, ok := osiProtocol(o.text)
		return n, ok
	case "", "ip", "ip6":
		p, ok := r.names.protocol(o.text)
		return uint32(p), ok
	}
	return 0, false
}

// port resolves the operand of "port" or "portrange".
func (r *resolver) port(o *operand) (formula, error) {
	var over []uint32
	switch o.q.proto {
	case "":
		// libpcap tests in this order.
		over = []uint32{protoSCTP, protoTCP, protoUDP}
	case "tcp", "udp", "sctp":
		n, _ := names{}.protocol(o.q.proto)
		over = []uint32{uint32(n)}
	default:
		return nil, r.fail(KindQualifier, o,
			o.q.typ+" goes with tcp, udp and sctp",
			"%s does not go with %s", o.q.proto, o.q.typ)
	}
	if o.bits >= 0 || o.mask != "" {
		return nil, r.maskOnHost(o)
	}
	switch o.kind {
	case tokenNumber:
		if o.num > 0xffff {
			return nil, r.fail(KindRange, o, "", "port %s is greater than 65535", o.text)
		}
		n := one(o.num)
		n.single = o.q.typ == "port"
		return r.layer.ports(over, n, o.q.dir), nil
	case tokenName, tokenEscaped:
		if o.q.typ == "portrange" {
			return r.portRange(o, over)
		}
		return r.namedPort(o, over)
	}
	return nil, r.fail(KindQualifier, o,
		"did you mean "+quote("host "+o.text)+"?",
		"%s is an address, not a port", o.text)
}

// namedPort resolves the name of a service. Without a protocol qualifier, it
// stands for the protocols that the service is known for.
func (r *resolver) namedPort(o *operand, over []uint32) (formula, error) {
	found := r.names.services(o.text)
	if len(found) == 0 {
		hint := "write its number"
		if span(o.text, func(c byte) bool { return isDigit(c) || c == '-' }) == o.text {
			hint = "did you mean " + quote("portrange "+o.text) + "?"
		} else if s := nearestService(o.text); s != "" {
			hint = "did you mean " + quote(s) + "?"
		}
		return nil, r.fail(KindUnknownName, o, hint, "unknown port %s", o.text)
	}
	// What is known for both TCP and UDP is known for SCTP too.
	both := has(found, protoTCP) && has(found, protoUDP) && found[0].Port == found[1].Port
	if o.q.proto != "" {
		for _, s := range found {
			if uint32(s.Protocol) == over[0] || both {
				return r.layer.ports(over, one(uint32(s.Port)), o.q.dir), nil
			}
		}
		return nil, r.fail(KindUnknownName, o, "write its number",
			"port %s is not known for %s", o.text, o.q.proto)
	}
	if both {
		return r.layer.ports(over, one(uint32(found[0].Port)), o.q.dir), nil
	}
	port := one(uint32(found[0].Port))
	return r.layer.ports([]uint32{uint32(found[0].Protocol)}, port, o.q.dir), nil
}

// portRange resolves "lo-hi", either of which can be a name.
func (r *resolver) portRange(o *operand, over []uint32) (formula, error) {
	lo, hi, ok := leadingRange(o.text)
	// A name can hold a hyphen itself, as in "ftp-data-80".
	for i := 0; i < len(o.text) && !ok; i++ {
		if o.text[i] != '-' {
			continue
		}
		var okLo, okHi bool
		lo, okLo = r.portNumber(o.text[:i])
		hi, okHi = r.portNumber(o.text[i+1:])
		ok = okLo && okHi
	}
	if !ok {
		return nil, r.fail(KindUnknownName, o, "write a range as 8000-8100",
			"unknown range of ports %s", o.text)
	}
	if lo > 0xffff || hi > 0xffff {
		return nil, r.fail(KindRange, o, "",
			"range %s reaches beyond port 65535", o.text)
	}
	span := numbers{interval: interval{min(lo, hi), max(lo, hi)}}
	return r.layer.ports(over, span, o.q.dir), nil
}

// leadingRange returns the two numbers that a word begins with, with a hyphen
// between them. What follows does not count, as for libpcap.
func leadingRange(word string) (lo, hi uint32, ok bool) {
	first := span(word, isDigit)
	rest, ok := strings.CutPrefix(word[len(first):], "-")
	if !ok {
		return 0, 0, false
	}
	a, errA := strconv.ParseUint(first, 10, 32)
	b, errB := strconv.ParseUint(span(rest, isDigit), 10, 32)
	return uint32(a), uint32(b), errA == nil && errB == nil
}

// portNumber returns the port that a word in a range stands for.
func (r *resolver) portNumber(word string) (port uint32, ok bool) {
	if n, err := strconv.ParseUint(word, 10, 32); err == nil {
		return uint32(n), true
	}
	if found := r.names.services(word); len(found) > 0 {
		return uint32(found[0].Port), true
	}
	return 0, false
}

// has reports whether a service is known for a protocol.
func has(found []Service, protocol uint8) bool {
	for _, s := range found {
		if s.Protocol == protocol {
			return true
		}
	}
	return false
}

// nearestService returns a service whose name is one slip from word, or "".
func nearestService(word string) string {
	if len(word) > 16 || strings.Contains(word, ".") {
		return ""
	}
	for _, s := range services {
		if distance(word, s.name) == 1 {
			return s.name
		}
	}
	return ""
}

// protocolNameHint says what to write instead of an unknown protocol. Names
// that are keywords too need a backslash.
func protocolNameHint(name string) string {
	for _, p := range protocols {
		if len(name) > 16 || distance(name, p.name) != 1 {
			continue
		}
		if classOf(p.name) != wordNone {
			return "did you mean " + quote(`\`+p.name) + "?"
		}
		return "did you mean " + quote(p.name) + "?"
	}
	return "write its number"
}

// utoa returns n in decimal.
func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
