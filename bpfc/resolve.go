package bpfc

import (
	"fmt"
	"net/netip"
	"strings"
)

// A resolver turns a syntax tree into a formula: it looks up names, checks
// that qualifiers fit operands and that numbers fit fields, and brings
// networks into normal form.
type resolver struct {
	expr    string
	where   *where // of the headers, at the place in the text
	layer   layer  // the part of where that a primitive is resolved for
	steps   int    // primitives resolved, once for each layer
	again   bool   // an operand can have been resolved for another layer
	parted  bool   // some text has an error in one of several layers
	chains  int    // times of "protochain"
	names   names
	netmask netip.Addr
	strict  bool // host bits of a network are an error
	notes   []Note
}

// A part is something with a place in the text.
type part interface {
	Pos() int
	End() int
}

// fail returns an error about the bytes of e. Each %s of the format stands for
// a word of the language, which is quoted.
func (r *resolver) fail(kind Kind, e part, hint, format string, words ...string) error {
	var msg strings.Builder
	for i, part := range strings.Split(format, "%s") {
		if i > 0 {
			msg.WriteString(quote(words[i-1]))
		}
		msg.WriteString(part)
	}
	return &Error{
		Kind: kind, Expr: r.expr, Pos: e.Pos(), End: e.End(),
		Msg: msg.String(), Hint: hint,
	}
}

// resolve returns the formula of e.
func (r *resolver) resolve(e Expr) (formula, error) {
	if r.where.cond != nil && !r.parted {
		if f, ok := r.wholly(e); ok {
			return f, nil
		}
	}
	switch e := e.(type) {
	case everything:
		return always{}, nil
	case *chain:
		return r.chain(e)
	case *negation:
		f, err := r.resolve(e.x)
		return not{f}, err
	case *group:
		return r.resolve(e.x)
	case *qualified:
		return r.resolve(e.x)
	}
	return r.everywhere(e, func() (formula, *where, error) { return r.primitive(e) })
}

// primitive resolves an expression without parts, for one layer.
func (r *resolver) primitive(e Expr) (f formula, next *where, err error) {
	switch e := e.(type) {
	case *protocol:
		f, err = r.protocol(e)
	case *length:
		if e.greater {
			f = test{packetLength, relGreaterEqual, e.n.num}
		} else {
			f = not{test{packetLength, relGreater, e.n.num}}
		}
	case *operand:
		f, err = r.operand(e)
	case *relationExpr:
		f, err = r.relation(e)
	case *byteTest:
		f, err = r.byteTest(e)
	case *cast:
		f, err = r.cast(e)
	case *flow:
		f, err = r.flow(e)
	case *control:
		f, err = r.control(e)
	case *encapsulation:
		return r.encapsulation(e)
	default:
		panic(fmt.Sprintf("bpfc: unknown syntax %T", e))
	}
	return f, nil, err
}

// protocol resolves a protocol that is a primitive by itself.
func (r *resolver) protocol(p *protocol) (formula, error) {
	if p.name == "radio" {
		return nil, r.fail(KindLinkType, p, "", "%s is about 802.11 wireless packets", p.name)
	}
	f, ok := r.layer.byName(p.name)
	if !ok {
		panic("bpfc: unknown protocol " + p.name)
	}
	return f, nil
}

// operand resolves an operand with its qualifiers.
func (r *resolver) operand(o *operand) (formula, error) {
	switch o.q.typ {
	case "port", "portrange":
		return r.port(o)
	case "proto":
		return r.proto(o)
	case "protochain":
		return r.protochain(o)
	case "gateway":
		return r.gateway(o)
	}
	if o.q.proto == "decnet" {
		return r.decnet(o)
	}
	switch o.kind {
	case tokenMAC:
		if o.q.proto != "ether" || o.q.typ == "net" {
			return nil, r.fail(KindQualifier, o,
				"did you mean "+quote("ether host "+o.text)+"?",
				"%s is an Ethernet address", o.text)
		}
		mac, _ := parseMAC(o.text)
		return r.ether(o, mac)
	case tokenName, tokenEscaped:
		return r.named(o)
	case tokenIPv6:
		return r.literal6(o)
	}
	return r.literal4(o)
}

// ether resolves a MAC address with its qualifiers.
func (r *resolver) ether(o *operand, mac [6]byte) (formula, error) {
	if r.layer.framing != framingEthernet {
		return nil, r.fail(KindLinkType, o, "",
			r.layer.framing.String()+" has no Ethernet addresses such as %s", o.text)
	}
	return r.layer.ether(mac, o.q.dir), nil
}

// fits reports that an address of a family cannot be used with a protocol.
func (r *resolver) fits(o *operand, family string) error {
	proto := o.q.proto
	switch {
	case proto == "":
		return nil
	case family == "IPv4" && (proto == "ip" || proto == "arp" || proto == "rarp"):
		return nil
	case family == "IPv6" && proto == "ip6":
		return nil
	case proto == "ether":
		return r.fail(KindQualifier, o, "", "%s is not an Ethernet address", o.String())
	case proto == "ip" || proto == "arp" || proto == "rarp" || proto == "ip6":
		return r.fail(KindQualifier, o, "", "%s does not go with "+family+" addresses", proto)
	}
	typ := o.q.typ
	if typ == "" {
		typ = "host"
	}
	return r.fail(KindQualifier, o,
		"did you mean "+quote(proto+" and "+qualifiers{"", o.q.dir, typ}.String()+" "+o.String())+"?",
		"%s does not go with %s", proto, typ)
}

// named resolves a host or network by its name.
func (r *resolver) named(o *operand) (formula, error) {
	d := o.q.dir
	if o.q.proto == "ether" {
		mac, ok := r.names.ether(o.text)
		if !ok || o.q.typ == "net" {
			return nil, r.fail(KindUnknownName, o, "write its address, as 0:0:0:0:0:1",
				"unknown Ethernet host %s", o.text)
		}
		return r.ether(o, mac)
	}
	var prefixes []netip.Prefix
	if o.q.typ == "net" {
		prefixes = r.names.networks(o.text)
	} else {
		for _, a := range r.names.hosts(o.text) {
			a = a.Unmap()
			prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	var terms []formula
	var misfit error
	for _, p := range prefixes {
		family := "IPv6"
		if p.Addr().Is4() {
			family = "IPv4"
		}
		if err := r.fits(o, family); err != nil {
			misfit = err
			continue
		}
		terms = append(terms, r.prefix(p.Masked(), o.q.proto, d))
	}
	switch {
	case terms != nil:
		return anyOf(terms...), nil
	case misfit != nil:
		return nil, misfit
	case o.q.typ == "net":
		return nil, r.fail(KindUnknownName, o, "write its address, as 10.0.0.0/8",
			"unknown network %s", o.text)
	}
	hint := "write the address"
	if r.names.r == nil {
		hint = "names of hosts are not looked up: write the address"
	}
	if k := nearestKeyword(o.text); k != "" && o.kind == tokenName {
		hint = didYouMean(o.text)
	}
	return nil, r.fail(KindUnknownName, o, hint, "unknown host %s", o.text)
}

// prefix returns the formula for a prefix in normal form.
func (r *resolver) prefix(p netip.Prefix, proto string, d direction) formula {
	if p.Addr().Is4() {
		addr := p.Addr().As4()
		return r.layer.net4(proto, word(addr[:]), mask32(p.Bits()), d)
	}
	var words, mask [4]uint32
	bytes := p.Addr().As16()
	for i := range words {
		words[i] = word(bytes[4*i:])
		mask[i] = mask32(min(max(p.Bits()-32*i, 0), 32))
	}
	return r.layer.net6(words, mask, d)
}

// word returns the first four bytes as a number.
func word(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// mask32 returns a mask of the given number of leading bits.
func mask32(bits int) uint32 { return uint32(^uint64(0) << (32 - bits)) }
