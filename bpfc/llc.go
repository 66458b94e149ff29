package bpfc

import "strings"

// Numbers of IEEE 802.2, Logical Link Control.
const (
	llcIP      = 0x06
	llcSTP     = 0x42
	llcIPX     = 0xe0
	llcNetBEUI = 0xf0
	llcOSI     = 0xfe

	// maxLength is the greatest number that counts bytes in the field of an
	// Ethernet header that else holds the protocol: such frames are of 802.3
	// and have an LLC header.
	maxLength = 1500

	// What Linux has in the protocol field of cooked packets for 802.3 frames.
	cooked8023 = 1 // without an LLC header
	cooked8022 = 4 // with one
)

// isLength is true of 802.3 frames.
func (l layer) isLength() formula { return not{test{l.typ, relGreater, maxLength}} }

// carriesLLC is carries for link layers in which framed says that an LLC header
// follows.
func (l layer) carriesLLC(protocol uint32, framed formula) formula {
	switch protocol {
	case llcIP, llcNetBEUI, llcOSI:
		// These name themselves as source and destination.
		return all(framed, equal(l.payload.field(0, 2), protocol<<8|protocol))
	case llcIPX:
		return l.carriesIPX(framed)
	case etherAppleTalk:
		return anyOf(equal(l.typ, protocol), all(framed, l.snap(0x080007, protocol)))
	case etherAARP:
		return anyOf(equal(l.typ, protocol), all(framed, l.snap(0, protocol)))
	}
	if protocol <= maxLength {
		return all(framed, equal(l.payload.field(0, 1), protocol))
	}
	return equal(l.typ, protocol)
}

// carriesIPX is true of IPX in any of its four forms: with an EtherType, with
// SNAP, with LLC, and without either, behind a length alone.
func (l layer) carriesIPX(framed formula) formula {
	snap := l.snap(0, etherIPX)
	llc := equal(l.payload.field(0, 1), llcIPX)
	typ := equal(l.typ, etherIPX)
	if l.framing == framingCooked {
		return anyOf(typ, equal(l.typ, cooked8023), all(framed, anyOf(llc, snap)))
	}
	bare := equal(l.payload.field(0, 2), 0xffff)
	return anyOf(typ, all(framed, anyOf(snap, llc, bare)))
}

// snap is true of frames with a SNAP header for a protocol of an organization.
func (l layer) snap(organization, protocol uint32) formula {
	return all(
		equal(l.payload.field(4, 4), organization<<16|protocol),
		equal(l.payload.field(0, 4), 0xaaaa0300|organization>>16))
}

// llcKinds are the words after "llc" that tell a format or command by the
// control field: its bits under mask are those of bits.
var llcKinds = [...]struct {
	name       string
	mask, bits uint32
}{
	{"s", 0x03, 0x01}, {"u", 0x03, 0x03},
	{"rr", 0x0f, 0x01}, {"rnr", 0x0f, 0x05}, {"rej", 0x0f, 0x09},
	{"ui", 0xef, 0x03}, {"ua", 0xef, 0x63}, {"disc", 0xef, 0x43},
	{"dm", 0xef, 0x0f}, {"sabme", 0xef, 0x6f}, {"test", 0xef, 0xe3},
	{"xid", 0xef, 0xaf}, {"frmr", 0xef, 0x87},
}

// llc is "llc kind", or "llc" if kind is "". It is not ok for other words.
func (l layer) llc(kind string) (f formula, ok bool) {
	f = all(l.isLength(), not{equal(l.payload.field(0, 2), 0xffff)})
	control := l.payload.field(2, 1)
	switch kind = strings.ToLower(kind); kind {
	case "":
		return f, true
	case "i":
		return all(f, not{test{control, relAnyBit, 1}}), true
	}
	for _, k := range llcKinds {
		if k.name == kind {
			return all(f, equal(control.masked(k.mask), k.bits)), true
		}
	}
	return nil, false
}
