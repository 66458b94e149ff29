package bpfc

import (
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// parseDotted reads two to four dotted decimal numbers as the leading bytes
// of an IPv4 address. It returns the address, with the missing bytes 0, and
// the number of bits that were given.
func parseDotted(text string) (addr uint32, given int, ok bool) {
	for part := range strings.SplitSeq(text, ".") {
		b, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return 0, 0, false
		}
		addr = addr<<8 | uint32(b)
		given += 8
	}
	return addr << (32 - given), given, true
}

// literal4 resolves an IPv4 host or network, or a number, which is an address
// with the leading bytes missing.
func (r *resolver) literal4(o *operand) (formula, error) {
	if err := r.fits(o, "IPv4"); err != nil {
		return nil, err
	}
	isNet := o.q.typ == "net"
	if o.kind == tokenNumber {
		addr, mask := o.num, uint32(allOnes)
		if isNet {
			// "net 10" gives the leading bytes: 10.0.0.0/8.
			for addr != 0 && addr < 1<<24 {
				addr <<= 8
				mask <<= 8
			}
		}
		return r.layer.net4(o.q.proto, addr, mask, o.q.dir), nil
	}
	addr, given, ok := parseDotted(o.text)
	if !ok {
		return nil, r.fail(KindRange, o, "each number of an IPv4 address is at most 255",
			"%s is no IPv4 address", o.text)
	}
	mask := mask32(given)
	switch {
	case o.bits >= 0:
		mask = mask32(o.bits)
	case o.mask != "":
		if mask, _, ok = parseDotted(o.mask); !ok {
			return nil, r.fail(KindRange, o, "each number of a mask is at most 255",
				"%s is no IPv4 mask", o.mask)
		}
	}
	if !isNet && (o.bits >= 0 || o.mask != "") {
		return nil, r.maskOnHost(o)
	}
	if addr&^mask != 0 {
		normal := dotted(addr&mask) + "/" + strconv.Itoa(bits.OnesCount32(mask))
		if o.mask != "" {
			normal = dotted(addr&mask) + " mask " + dotted(mask)
		}
		if err := r.normalize(o, normal); err != nil {
			return nil, err
		}
	}
	return r.layer.net4(o.q.proto, addr&mask, mask, o.q.dir), nil
}

// literal6 resolves an IPv6 host or network.
func (r *resolver) literal6(o *operand) (formula, error) {
	if err := r.fits(o, "IPv6"); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddr(o.text)
	if err != nil {
		panic("bpfc: the lexer accepted the address " + o.text)
	}
	addr = netip.AddrFrom16(addr.As16())
	length := 128
	if o.bits >= 0 {
		length = o.bits
	}
	if o.q.typ != "net" && length != 128 {
		return nil, r.maskOnHost(o)
	}
	p := netip.PrefixFrom(addr, length)
	if p.Masked() != p {
		if err := r.normalize(o, p.Masked().String()); err != nil {
			return nil, err
		}
	}
	return r.prefix(p.Masked(), o.q.proto, o.q.dir), nil
}

// maskOnHost returns the error for a prefix or mask without "net".
func (r *resolver) maskOnHost(o *operand) error {
	q := *o.q
	q.typ = "net"
	return r.fail(KindQualifier, o,
		"did you mean "+quote(q.String()+" "+o.String())+"?",
		"%s is a network, not a host", o.String())
}

// normalize notes that host bits of a network were cleared, or refuses them.
func (r *resolver) normalize(o *operand, normal string) error {
	if r.strict {
		return r.fail(KindRange, o, "did you mean "+quote("net "+normal)+"?",
			"%s has bits set outside of its mask", o.String())
	}
	n := Note{Pos: o.pos, End: o.end, Msg: o.String() + " -> " + normal}
	// Behind tunnels an operand is resolved more than once.
	if r.where.cond == nil && !r.again || !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
	return nil
}

// dotted returns an IPv4 address in dotted form.
func dotted(addr uint32) string {
	return netip.AddrFrom4([4]byte{
		byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr),
	}).String()
}
