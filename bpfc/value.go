package bpfc

import "math/bits"

// A value is what a program can compute about a packet: its length, a field of
// one, two or four bytes in network order, something the kernel keeps beside
// the packet, or a calculation. It can be masked. Values are comparable, and
// equal ones are equal for every packet.
type value struct {
	from source
	size uint8  // bytes of the field
	off  uint32 // offset of the field, in bytes
	mask uint32 // allOnes if the value is used as it is
	base *calc  // what X holds, or for fromCalc and fromPair what to compute
}

// A source says from where a value comes, or its offset counts.
type source uint8

const (
	fromStart     source = iota // the first byte of the packet
	fromHeader                  // X, which holds base
	fromLength                  // not a field: the length of the packet
	fromAncillary               // not a field: what the kernel has at off
	fromCalc                    // not a field: the result of base
	fromPair                    // both operands of base, in A and in X
	fromIndex                   // X, as a setup has left it
	fromChoice                  // not a field: 1 if choice off holds, see decided
	fromNothing                 // not a field: 0, see never
)

const allOnes = 0xffffffff

// field returns the value of size bytes at off.
func field(off uint32, size uint8) value {
	return value{from: fromStart, size: size, off: off, mask: allOnes}
}

// packetLength is the length of the packet on the wire.
var packetLength = value{from: fromLength, mask: allOnes}

// ancillary returns what the kernel keeps beside the packet, see linux/filter.h.
func ancillary(what uint32, size uint8) value {
	return value{from: fromAncillary, size: size, off: ancillaryBase + what, mask: allOnes}
}

// masked returns v with only the bits of mask.
func (v value) masked(mask uint32) value {
	v.mask &= mask
	return v
}

// whole returns v without its mask.
func (v value) whole() value {
	v.mask = allOnes
	return v
}

// max returns the greatest number that v can be.
func (v value) max() uint32 {
	if v.from == fromNothing {
		return 0
	}
	switch v.size {
	case 1:
		return 0xff & v.mask
	case 2:
		return 0xffff & v.mask
	}
	if v.from == fromCalc {
		// All bits below the highest one can be set, as in a field.
		most := uint64(1)<<bits.Len32(v.base.max()) - 1
		return uint32(most) & v.mask
	}
	return v.mask
}

// alwaysThere reports whether v can be had of every packet, however short.
func (v value) alwaysThere() bool {
	switch v.from {
	case fromLength, fromAncillary, fromChoice, fromNothing:
		return true
	}
	return false
}

// simple reports whether the only thing that can go wrong with v is that the
// packet ends before a field of it. Loads of such values are moved where
// libpcap's optimizer does that. Those of others, which can also fail on whole
// packets, stay where they are.
func (v value) simple() bool {
	switch v.from {
	case fromHeader:
		return v.base.op == calcHeader
	case fromCalc, fromPair:
		return v.base.alwaysThere()
	}
	return true
}

// A relation is how a test compares a value with a constant, or with X.
type relation uint8

const (
	relEqual         relation = iota // value == k
	relGreater                       // value > k
	relGreaterEqual                  // value >= k
	relAnyBit                        // value & k != 0
	relGreaterX                      // of pairs: A > X
	relGreaterEqualX                 // of pairs: A >= X
	relMember                        // value is in set k, see setTable
)

// ordered reports whether the numbers for which the relation holds form an
// interval, so that sets can stand for them.
func (r relation) ordered() bool { return r <= relGreaterEqual }

// holds reports whether n stands in the relation to k.
func (r relation) holds(n, k uint32) bool {
	switch r {
	case relEqual:
		return n == k
	case relGreater:
		return n > k
	case relGreaterEqual:
		return n >= k
	}
	return n&k != 0
}
