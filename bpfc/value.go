package bpfc

// A value is what a program can compute about a packet: its length, or a
// field of one, two or four bytes in network order, masked. Values are
// comparable, and equal ones are equal for every packet.
type value struct {
	from source
	size uint8  // bytes of the field
	off  uint32 // offset of the field, in bytes
	mask uint32 // allOnes if the field is used as it is
}

// A source says from where the offset of a value counts.
type source uint8

const (
	fromStart  source = iota // the first byte of the packet
	fromHeader               // X, the length of the IPv4 header
	fromLength               // not a field: the length of the packet
	fromIndex                // X, as a setup has left it
)

const allOnes = 0xffffffff

// field returns the value of size bytes at off.
func field(off uint32, size uint8) value {
	return value{from: fromStart, size: size, off: off, mask: allOnes}
}

// afterIPv4 returns the value of size bytes at off from the end of the IPv4
// header, whose length varies. As an instruction can only add the length of
// the header to a constant, off counts from the header's start.
func afterIPv4(off uint32, size uint8) value {
	return value{from: fromHeader, size: size, off: off, mask: allOnes}
}

// packetLength is the length of the packet on the wire.
var packetLength = value{from: fromLength, mask: allOnes}

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
	switch v.size {
	case 1:
		return 0xff & v.mask
	case 2:
		return 0xffff & v.mask
	}
	return v.mask
}

// A relation is how a test compares a value with a constant.
type relation uint8

const (
	relEqual        relation = iota // value == k
	relGreater                      // value > k
	relGreaterEqual                 // value >= k
	relAnyBit                       // value & k != 0
	relMember                       // value is in set k, see setTable
)

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
