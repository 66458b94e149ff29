package text

// sequences remembers where the connections stand from which the numbers of
// TCP are counted.
type sequences map[ends]base

// ends are the two ends of a connection, the smaller one first.
type ends struct {
	a, b         [16]byte
	aPort, bPort uint16
}

// base are the first numbers that were seen: seq of the smaller end.
type base struct{ seq, ack uint32 }

// maxSequences is how many connections are remembered; then it starts anew.
const maxSequences = 1 << 16

// relative returns the numbers of a segment as they are printed. Those of a
// connection's first segment with an ACK are those of the wire, and count for
// the others. flip is what SACK blocks count from.
func (s sequences) relative(k *packet, flags uint8, seq, ack uint32) (rseq, rack, flip uint32) {
	if s == nil || flags&tcpACK == 0 {
		return seq, ack, 0
	}
	e, swapped := endsOf(k)
	first, known := s[e]
	if !known || flags&tcpSYN != 0 {
		if len(s) >= maxSequences {
			clear(s)
		}
		first = base{seq, ack - 1}
		if swapped {
			first = base{ack - 1, seq}
		}
		s[e] = first
		return seq, ack, sackBase(first, swapped)
	}
	if swapped {
		return seq - first.ack, ack - first.seq, first.seq
	}
	return seq - first.seq, ack - first.ack, first.ack
}

// sackBase is what a SACK block counts from: the other side's first number.
func sackBase(b base, swapped bool) uint32 {
	if swapped {
		return b.seq
	}
	return b.ack
}

// endsOf puts the ends of a packet in order, and reports whether it changed
// their places.
func endsOf(k *packet) (e ends, swapped bool) {
	copy(e.a[:], k.src)
	copy(e.b[:], k.dst)
	e.aPort, e.bPort = be16(k.payload), be16(k.payload[2:])
	order := compare(e.a, e.b)
	if order > 0 || order == 0 && e.aPort > e.bPort {
		e.a, e.b, e.aPort, e.bPort = e.b, e.a, e.bPort, e.aPort
		return e, true
	}
	return e, false
}

func compare(a, b [16]byte) int {
	for i := range a {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return 0
}
