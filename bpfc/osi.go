package bpfc

import (
	"strconv"
	"strings"
)

// Numbers of the protocols above OSI's network layer, and of the packets of
// IS-IS.
const (
	osiCLNP = 0x81
	osiESIS = 0x82
	osiISIS = 0x83

	isisHello1   = 15 // of level 1, on a LAN
	isisHello2   = 16
	isisHelloP2P = 17
	isisLSP1     = 18
	isisLSP2     = 20
	isisCSNP1    = 24
	isisCSNP2    = 25
	isisPSNP1    = 26
	isisPSNP2    = 27
)

// osiProtocol returns the number that "iso proto" knows by a name.
func osiProtocol(name string) (number uint32, ok bool) {
	switch name {
	case "clnp":
		return osiCLNP, true
	case "esis":
		return osiESIS, true
	case "isis":
		return osiISIS, true
	}
	return 0, false
}

// aboveOSI is "iso proto n".
func (l layer) aboveOSI(n uint32) formula {
	return all(l.carries(llcOSI), equal(l.payload.field(l.sap, 1), n))
}

// isis is true of IS-IS packets of one of the types.
func (l layer) isis(types ...uint32) formula {
	var typed []formula
	for _, t := range types {
		typed = append(typed, all(l.aboveOSI(osiISIS), equal(l.payload.field(l.sap+4, 1), t)))
	}
	return anyOf(typed...)
}

// osiByName is byName for OSI's protocols.
func (l layer) osiByName(name string) (f formula, ok bool) {
	if number, ok := osiProtocol(name); ok {
		return l.aboveOSI(number), true
	}
	switch name {
	case "l1":
		return l.isis(isisPSNP1, isisCSNP1, isisLSP1, isisHello1, isisHelloP2P), true
	case "l2":
		return l.isis(isisPSNP2, isisCSNP2, isisLSP2, isisHello2, isisHelloP2P), true
	case "iih":
		return l.isis(isisHelloP2P, isisHello1, isisHello2), true
	case "lsp":
		return l.isis(isisLSP1, isisLSP2), true
	case "snp":
		return l.isis(isisPSNP1, isisPSNP2, isisCSNP1, isisCSNP2), true
	case "csnp":
		return l.isis(isisCSNP1, isisCSNP2), true
	case "psnp":
		return l.isis(isisPSNP1, isisPSNP2), true
	}
	return nil, false
}

// decnet resolves a DECnet host: a number, or an area and a number in it.
func (r *resolver) decnet(o *operand) (formula, error) {
	var addr uint32
	switch {
	case o.bits >= 0 || o.mask != "":
		return nil, r.maskOnHost(o)
	case o.kind == tokenNumber:
		addr = o.num
	case o.kind == tokenIPv4:
		area, rest, _ := strings.Cut(o.text, ".")
		node, _, _ := strings.Cut(rest, ".")
		a, errA := strconv.ParseUint(area, 10, 31)
		n, errN := strconv.ParseUint(node, 10, 31)
		if errA != nil || errN != nil {
			return nil, r.fail(KindRange, o, "", "%s is no DECnet address", o.text)
		}
		addr = uint32(a)<<10&0xfc00 | uint32(n)&0x3ff
	case o.kind == tokenMAC || o.kind == tokenIPv6:
		return nil, r.fail(KindQualifier, o, "", "%s is no DECnet address", o.text)
	default:
		return nil, r.fail(KindUnknownName, o, "write its address, as 1.23",
			"unknown DECnet host %s", o.text)
	}
	return r.layer.decnet(addr&0xffff, o.q.dir), nil
}

// decnet is "decnet host addr". Fields are in little-endian order. A packet
// can begin with a byte of padding, and has a short or a long header, of which
// the lowest bits of the first byte tell.
func (l layer) decnet(addr uint32, d direction) formula {
	swapped := addr>>8 | addr<<8&0xff00
	forms := func(short, long uint32) formula {
		first := l.in(2, 1).masked(0x07)
		padded := l.in(2, 2).masked(0xff07)
		at := func(off uint32) formula { return equal(l.in(2+off, 2), swapped) }
		return all(l.carries(etherDECnet), anyOf(
			all(equal(first, 0x02), at(short)), all(equal(padded, 0x8102), at(short+1)),
			all(equal(first, 0x06), at(long)), all(equal(padded, 0x8106), at(long+1))))
	}
	return between(d, forms(3, 15), forms(1, 7))
}
