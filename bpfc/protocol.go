package bpfc

// byName is true of packets of the protocol of a keyword. It is not ok for
// other words.
func (l layer) byName(name string) (f formula, ok bool) {
	switch name {
	case "tcp", "udp", "sctp", "ah", "esp", "pim":
		number, _ := names{}.protocol(name)
		return l.above(uint32(number)), true
	case "icmp":
		return l.above4(protoICMP), true
	case "igmp":
		return l.above4(protoIGMP), true
	case "igrp":
		return l.above4(protoIGRP), true
	case "vrrp":
		return l.above4(protoVRRP), true
	case "carp":
		return l.above4(protoCARP), true
	case "icmp6":
		return l.above6(protoICMP6), true
	}
	if f, ok := l.osiByName(name); ok {
		return f, true
	}
	number, ok := etherType(name)
	return l.carries(uint32(number)), ok
}

// etherTypeOf returns the EtherType of a keyword that has one.
func etherTypeOf(name string) uint32 {
	number, ok := etherType(name)
	if !ok {
		panic("bpfc: no EtherType of " + name)
	}
	return uint32(number)
}

// cast resolves "broadcast" and "multicast".
func (r *resolver) cast(e *cast) (formula, error) {
	l := r.layer
	multicast := e.word == "multicast"
	switch {
	case e.proto == "" || e.proto == "ether":
		if l.framing != framingEthernet {
			return nil, r.fail(KindLinkType, e, "", l.framing.String()+" has no addresses for %s", e.word)
		}
		if multicast {
			return l.withLink(test{l.link.field(etherDst, 1), relAnyBit, 1}), nil
		}
		return l.ether([6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, dirDst), nil
	case e.proto == "ip" && multicast:
		return all(l.carries(etherIPv4), test{l.in(ipv4Dst, 1), relGreaterEqual, 224}), nil
	case e.proto == "ip6" && multicast:
		return all(l.carries(etherIPv6), equal(l.in(ipv6Dst, 1), 255)), nil
	case e.proto == "ip":
		return r.broadcast(e)
	}
	return nil, r.fail(KindQualifier, e, "", "%s has no %s addresses", e.proto, e.word)
}

// broadcast resolves "ip broadcast": all bits of the host are 0, or all are 1.
func (r *resolver) broadcast(e *cast) (formula, error) {
	if !r.netmask.Is4() {
		return nil, r.fail(KindRange, e, "give the netmask",
			"the netmask for %s is not known", e.String())
	}
	l := r.layer
	mask := r.netmask.As4()
	host := ^word(mask[:])
	dst := l.in(ipv4Dst, 4).masked(host)
	if host == 0 {
		return l.carries(etherIPv4), nil
	}
	return all(l.carries(etherIPv4), anyOf(equal(dst, 0), equal(dst, host))), nil
}

// What Linux says of packets that the machine itself sends (PACKET_OUTGOING).
const outgoing = 4

// flow resolves "inbound", "outbound" and "ifindex".
func (r *resolver) flow(e *flow) (formula, error) {
	l := r.layer
	var v value
	ok := true
	switch {
	case l.framing == framingCooked2 && e.word == "ifindex":
		v, ok = l.linkField(4, 4)
	case l.framing == framingCooked2:
		v, ok = l.linkField(10, 1)
	case l.framing == framingCooked && e.word != "ifindex":
		v, ok = l.linkField(0, 2)
	case !l.live:
		return nil, r.fail(KindLinkType, e, "a file does not tell it",
			"%s needs live packets, or LINUX_SLL2", e.word)
	case e.word == "ifindex":
		v, ok = ancillary(ancillaryIfIndex, 4), l.has(ancillaryIfIndex)
	default:
		v, ok = ancillary(ancillaryPacketType, 2), l.has(ancillaryPacketType)
	}
	if !ok {
		return nil, r.fail(KindLinkType, e, "", "the kernel does not tell filters what %s asks", e.word)
	}
	switch e.word {
	case "ifindex":
		return equal(v, e.n.num), nil
	case "inbound":
		return not{equal(v, outgoing)}, nil
	}
	return equal(v, outgoing), nil
}

// control resolves "llc".
func (r *resolver) control(e *control) (formula, error) {
	l := r.layer
	if l.framing != framingEthernet {
		return nil, r.fail(KindLinkType, e, "", l.framing.String()+" has no %s headers to tell", "llc")
	}
	if e.kind == nil {
		f, _ := l.llc("")
		return f, nil
	}
	f, ok := l.llc(e.kind.text)
	if !ok {
		return nil, r.fail(KindUnknownName, e.kind,
			"known are i, s, u, rr, rnr, rej, ui, ua, disc, dm, sabme, test, xid, frmr",
			"unknown kind of LLC frame %s", e.kind.text)
	}
	return f, nil
}

// byteTest resolves "byte", which looks at the link-layer header.
func (r *resolver) byteTest(e *byteTest) (formula, error) {
	v, ok := r.layer.linkField(e.at.num, 1)
	if !ok {
		return nil, r.fail(KindLinkType, e, "",
			"live packets of this type have no link-layer header for %s", "byte")
	}
	if v.from == fromStart && v.off > maxOffset {
		return rejected{}, nil
	}
	k := e.k.num
	switch e.op {
	case "<":
		return not{test{v, relGreaterEqual, k}}, nil
	case ">":
		return test{v, relGreater, k}, nil
	case "&":
		return test{v, relAnyBit, k}, nil
	case "|":
		if k == 0 {
			return test{v, relGreater, 0}, nil
		}
		return test{v, relGreaterEqual, 0}, nil
	}
	return equal(v, k), nil
}

// gateway resolves "gateway name": frames from or to the Ethernet address of a
// host that are neither from nor to its IP addresses.
func (r *resolver) gateway(o *operand) (formula, error) {
	proto := o.q.proto
	switch proto {
	case "", "ip", "arp", "rarp":
	default:
		return nil, r.fail(KindQualifier, o, "", "%s does not go with %s", proto, "gateway")
	}
	if o.kind != tokenName && o.kind != tokenEscaped {
		return nil, r.fail(KindQualifier, o, "", "%s is not the name of a host, which %s needs",
			o.String(), "gateway")
	}
	mac, ok := r.names.ether(o.text)
	if !ok {
		return nil, r.fail(KindUnknownName, o, "", "unknown Ethernet host %s", o.text)
	}
	var hosts []formula
	for _, a := range r.names.hosts(o.text) {
		if a = a.Unmap(); a.Is4() {
			bytes := a.As4()
			hosts = append(hosts, r.layer.net4(proto, word(bytes[:]), allOnes, dirEither))
		}
	}
	if hosts == nil {
		return nil, r.fail(KindUnknownName, o, "", "unknown host %s", o.text)
	}
	q := *o
	q.q = &qualifiers{proto: "ether"}
	link, err := r.ether(&q, mac)
	if err != nil {
		return nil, err
	}
	return all(link, not{anyOf(hosts...)}), nil
}
