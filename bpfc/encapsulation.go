package bpfc

// The greatest numbers that tell one encapsulation of a kind from another.
const (
	maxVLAN    = 1<<12 - 1
	maxLabel   = 1<<20 - 1
	maxSession = 1<<16 - 1
	maxVNI     = 1<<24 - 1
)

// An id is the number after a word such as vlan, if there is one.
type id struct {
	n     uint32
	given bool
}

// equal is true if v, shifted to the left, is the id.
func (i id) equal(v value, shift uint) formula {
	if !i.given {
		return always{}
	}
	return equal(v, i.n<<shift)
}

// encapsulation resolves a word such as vlan, with the number after it.
func (r *resolver) encapsulation(e *encapsulation) (formula, *where, error) {
	l := r.layer
	var n id
	if e.n != nil {
		n = id{e.n.num, true}
		most := map[string]uint32{
			"vlan": maxVLAN, "mpls": maxLabel, "pppoes": maxSession,
			"geneve": maxVNI, "vxlan": maxVNI,
		}[e.word]
		if n.n > most {
			return nil, nil, r.fail(KindRange, e.n, "",
				"%s is greater than "+utoa(most), e.n.text)
		}
	}
	ethernet := l.framing == framingEthernet
	switch e.word {
	case "pppoed":
		return l.carries(etherPPPoED), nil, nil
	case "pppoes":
		f, next := l.pppoes(n)
		return f, next, nil
	case "geneve":
		f, next := l.geneve(n)
		return f, next, nil
	case "vxlan":
		f, next := l.vxlan(n)
		return f, next, nil
	case "vlan":
		if l.labels > 0 {
			return nil, nil, r.fail(KindLinkType, e, "", "%s cannot stand after %s", "vlan", "mpls")
		}
		if ethernet {
			f, next := l.vlan(n)
			return f, next, nil
		}
	case "mpls":
		if ethernet || l.framing == framingPPP || l.labels > 0 {
			f, next := l.mpls(n)
			return f, next, nil
		}
	}
	return nil, nil, r.fail(KindLinkType, e, "", l.framing.String()+" has no %s", e.word)
}

// vlan is "vlan n". Of live packets the kernel keeps the outermost tag beside
// the packet if the network card has taken it off, so that nothing moves; else
// the tag is in the packet.
func (l layer) vlan(n id) (formula, *where) {
	tag := anyOf(l.carries(etherVLAN), l.carries(etherQinQ), l.carries(etherOldQinQ))
	inBand := all(tag, n.equal(l.in(0, 2).masked(maxVLAN), 0))
	behind := l
	behind.tags++
	shifted := behind
	shifted.typ.off += 4
	shifted.payload.off += 4
	if !l.live || !l.has(ancillaryVLANPresent) || l.tags > 0 || l.link != (place{}) {
		return inBand, leaf(shifted)
	}
	l.calcs.care = max(l.calcs.care, careFork)
	present := equal(ancillary(ancillaryVLANPresent, 1), 1)
	kept := n.equal(ancillary(ancillaryVLANTag, 2).masked(maxVLAN), 0)
	return fork{present, kept, inBand},
		&where{cond: present, yes: leaf(behind), no: leaf(shifted), tag: true}
}

// mpls is "mpls n".
func (l layer) mpls(n id) (formula, *where) {
	var f formula
	switch {
	case l.labels > 0:
		f = equal(l.payload.field(l.net-2, 1).masked(1), 0) // not the last label
	case l.framing == framingPPP:
		f = equal(l.typ, pppMPLS)
	default:
		f = l.carries(etherMPLS)
	}
	f = all(f, n.equal(l.in(0, 4).masked(maxLabel<<12), 12))
	l.net += 4
	l.sap += 4
	l.labels++
	return f, leaf(l)
}

// pppMPLS is PPP's number for MPLS.
const pppMPLS = 0x0281

// pppoes is "pppoes n".
func (l layer) pppoes(n id) (formula, *where) {
	f := all(l.carries(etherPPPoES), n.equal(l.in(2, 2), 0))
	l.framing, l.bare = framingPPP, false
	l.link = l.payload.plus(l.net + 6)
	l.typ = l.link.field(0, 2)
	l.payload = l.link.plus(2)
	l.net, l.sap = 0, 0
	return f, leaf(l)
}

// A tunnel is what UDP packets to a port carry.
type tunnel struct {
	port       uint32
	mask, bits uint32 // of the first byte behind the UDP header
	typed      bool   // the protocol that it carries is looked up at once
	inside     func(l layer, header place) *where
}

// geneve is "geneve n" (RFC 8926).
func (l layer) geneve(n id) (formula, *where) {
	return l.tunnel(n, tunnel{port: 6081, mask: 0xc0, typed: true, inside: layer.insideGeneve})
}

// vxlan is "vxlan n" (RFC 7348).
func (l layer) vxlan(n id) (formula, *where) {
	return l.tunnel(n, tunnel{port: 4789, mask: 0x08, bits: 0x08, inside: layer.insideVXLAN})
}

// tunnel is true of the packets of a tunnel. Text after it is about what the
// tunnel carries, for packets that are none about the packet itself.
func (l layer) tunnel(n id, t tunnel) (formula, *where) {
	l.calcs.care = max(l.calcs.care, careTunnel)
	over := func(protocol, field uint32, whole formula, udp place) formula {
		terms := []formula{l.carries(protocol), equal(l.in(field, 1), protoUDP), whole,
			equal(udp.field(dstPort, 2), t.port),
			equal(udp.field(lengthUDP, 1).masked(t.mask), t.bits),
			n.equal(udp.field(lengthUDP+4, 4).masked(maxVNI<<8), 8)}
		if t.typed {
			terms = append(terms, loaded(udp.field(lengthUDP+2, 2)))
		}
		return all(terms...)
	}
	udp4 := place{l.headerLength(), l.payload.off + l.net}
	udp6 := l.payload.plus(l.net + ipv6Length)
	in4 := l.calcs.choose(choiceOfPart, over(etherIPv4, ipv4Protocol, l.first(), udp4))
	in6 := l.calcs.choose(choiceOfPart, over(etherIPv6, ipv6Next, always{}, udp6))
	return anyOf(in4, in6), &where{
		cond: in4, yes: t.inside(l, udp4.plus(lengthUDP)),
		no: &where{cond: in6, yes: t.inside(l, udp6.plus(lengthUDP)), no: leaf(l)},
	}
}

// insideGeneve returns where the headers are of what follows a Geneve header:
// an Ethernet frame or, as the header says, just a packet.
//
// X points to the frame or, so that all cases share the instructions for what
// is carried, to where the frame would begin. No constant is left to the
// offsets for the same reason.
func (l layer) insideGeneve(header place) *where {
	c := l.calcs
	options := c.calculate(aluLsh, c.value(header.field(0, 1).masked(0x3f)), c.constant(2))
	if header.base != nil {
		options = c.calculate(aluAdd, options, header.base)
	}
	at := func(off uint32) place { return place{base: c.calculate(aluAdd, options, c.constant(off))} }
	end := header.off + lengthGeneve
	typ := header.field(2, 2)
	framed, bare := l.inside(at(end)), l.inside(at(end-lengthEther))
	bare.typ, bare.link, bare.bare = typ, bare.payload, true
	return &where{cond: equal(typ, etherBridge), yes: leaf(framed), no: leaf(bare)}
}

// Lengths of headers in bytes, of Geneve's without options.
const (
	lengthEther  = 14
	lengthUDP    = 8
	lengthGeneve = 8
	lengthVXLAN  = 8
)

// insideVXLAN is the same for VXLAN, which carries Ethernet frames only.
func (l layer) insideVXLAN(header place) *where { return leaf(l.inside(header.plus(lengthVXLAN))) }

// inside returns the layer of an Ethernet frame at a place in the packet.
func (l layer) inside(link place) layer {
	l.framing, l.bare, l.net = framingEthernet, false, 0
	l.link, l.typ, l.payload = link, link.field(12, 2), link.plus(lengthEther)
	return l
}
