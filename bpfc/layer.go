package bpfc

// A framing is a way in which a link layer says what it carries.
type framing uint8

const (
	framingEthernet framing = iota
	framingCooked           // LINUX_SLL
	framingCooked2          // LINUX_SLL2
	framingRaw              // no link layer: the IP header says its version
	framingPPP              // within PPPoE
)

// String names the framing for messages.
func (f framing) String() string {
	return [...]string{"Ethernet", "LINUX_SLL", "LINUX_SLL2", "RAW", "PPP"}[f]
}

// A place is where something begins: at off bytes from base, or from the
// start of the packet.
type place struct {
	base *calc
	off  uint32
}

// plus returns the place n bytes further on.
func (p place) plus(n uint32) place { return place{p.base, p.off + n} }

// field returns the value of size bytes at off from the place.
func (p place) field(off uint32, size uint8) value {
	v := field(p.off+off, size)
	if p.base != nil {
		v.from, v.base = fromHeader, p.base
	}
	return v
}

// A layer says where the headers of a packet are, and how the link layer of
// them is framed. Words such as vlan and mpls change it for all the text after
// them.
type layer struct {
	framing framing
	link    place  // the link-layer header
	typ     value  // the protocol that it carries, 16 bits
	payload place  // what it carries
	net     uint32 // the network header, from the payload
	sap     uint32 // what follows an LLC header, from the payload
	tags    int    // VLAN tags passed
	labels  int    // MPLS labels passed
	bare    bool   // in a tunnel that carries packets without link layer
	live    bool   // packets of a socket, where the kernel keeps data beside them
	packet  bool   // live on a cooked socket: no link-layer header is there

	extensions uint32 // Options.Extensions

	calcs *calcs
	wrong *problem
}

// A problem is what a layer could not say in tests: the fault of the primitive
// that asked for it.
type problem struct{ msg, hint string }

// dltRaw is what libpcap calls Raw on Linux, outside of files.
const dltRaw LinkType = 12

// layer returns the layer of packets of a link type, and whether there are
// filters for it. With live set it is that of packets on a socket: for the
// cooked types that is one whose packets begin with the network header.
func (t LinkType) layer(live bool) (layer, bool) {
	l := layer{calcs: newCalcs(), wrong: new(problem), live: live}
	switch t {
	case Ethernet:
		l.typ, l.payload, l.sap = field(12, 2), place{off: 14}, 3
	case Raw, dltRaw:
		l.framing = framingRaw
	case LinuxSLL:
		l.framing, l.typ, l.payload = framingCooked, field(14, 2), place{off: 16}
	case LinuxSLL2:
		l.framing, l.typ, l.payload = framingCooked2, field(0, 2), place{off: 20}
	default:
		return l, false
	}
	if live && (l.framing == framingCooked || l.framing == framingCooked2) {
		l.packet = true
		l.typ, l.payload = ancillary(ancillaryProtocol, 2), place{}
	}
	return l, true
}

// has reports whether the kernel has what is at an offset beside packets.
func (l layer) has(ancillary uint32) bool { return l.extensions == 0 || ancillary < l.extensions }

// in returns the value of size bytes at off from the network header.
func (l layer) in(off uint32, size uint8) value { return l.payload.field(l.net+off, size) }

// headerLength returns the length of the IPv4 header, plus what varies before
// it: the base for what follows the header.
func (l layer) headerLength() *calc {
	if l.payload.base == nil {
		return l.calcs.header(l.payload.off + l.net)
	}
	c := l.calcs
	words := c.value(l.in(0, 1).masked(0xf))
	return c.calculate(aluAdd, c.calculate(aluLsh, words, c.constant(2)), l.payload.base)
}

// afterIPv4 returns the value of size bytes at off from the end of the IPv4
// header, whose length varies. As an instruction can only add the length of
// the header to a constant, the constant counts from the header's start.
func (l layer) afterIPv4(off uint32, size uint8) value {
	return place{l.headerLength(), l.payload.off + l.net}.field(off, size)
}

// linkField returns the value of size bytes at off from the link-layer header.
// On a cooked socket there are only the fields that the kernel keeps.
func (l layer) linkField(off uint32, size uint8) (v value, ok bool) {
	if !l.packet || l.link.base != nil || l.framing == framingPPP {
		return l.link.field(off, size), true
	}
	type at struct {
		off  uint32
		size uint8
	}
	fields := map[at]uint32{
		{0, 2}: ancillaryPacketType, {2, 2}: ancillaryHAType, {14, 2}: ancillaryProtocol,
	}
	if l.framing == framingCooked2 {
		fields = map[at]uint32{
			{0, 2}: ancillaryProtocol, {4, 4}: ancillaryIfIndex,
			{8, 2}: ancillaryHAType, {10, 1}: ancillaryPacketType,
		}
	}
	what, ok := fields[at{off, size}]
	return ancillary(what, size), ok && l.has(what)
}

// nothing is a value that is 0 for all packets.
var nothing = value{from: fromNothing, mask: allOnes}

// lateNothing is the offset of a nothing that has been calculated. libpcap's
// optimizer calculates when it has moved all tests.
const lateNothing = 1

// never is a formula that holds for no packet. It is a test as it is for
// libpcap, whose optimizer moves others around it before it sees that.
func never() formula { return equal(nothing, 1) }

// carries is true of packets whose link layer says that they carry the
// protocol: an EtherType, or if it is at most maxLength an LLC number.
func (l layer) carries(protocol uint32) formula {
	if l.labels > 0 {
		return l.carriesLabelled(protocol)
	}
	switch l.framing {
	case framingRaw:
		switch protocol {
		case etherIPv4:
			return l.version(4)
		case etherIPv6:
			return l.version(6)
		}
		return never()
	case framingPPP:
		return equal(l.typ, pppType(protocol))
	case framingCooked2:
		return equal(l.typ, protocol)
	}
	switch {
	case protocol == etherIPv4 || protocol == etherIPv6:
		return equal(l.typ, protocol)
	case l.framing == framingCooked:
		return l.carriesLLC(protocol, equal(l.typ, cooked8022))
	}
	return l.carriesLLC(protocol, l.isLength())
}

// version is true if the network header is that of an IP version.
func (l layer) version(n uint32) formula { return equal(l.in(0, 1).masked(0xf0), n<<4) }

// carriesLabelled is carries behind MPLS labels, which do not tell the
// protocol: the version in the IP header does, below the last label.
func (l layer) carriesLabelled(protocol uint32) formula {
	last := equal(l.payload.field(l.net-2, 1).masked(1), 1)
	switch protocol {
	case etherIPv4:
		return all(last, l.version(4))
	case etherIPv6:
		return all(last, l.version(6))
	}
	l.wrong.msg = "only IPv4 and IPv6 can be told behind MPLS labels"
	return never()
}

// pppType returns the number that PPP has for a protocol.
func pppType(protocol uint32) uint32 {
	switch protocol {
	case etherIPv4:
		return 0x21
	case etherIPv6:
		return 0x57
	case etherDECnet:
		return 0x27
	case etherAppleTalk:
		return 0x29
	case llcOSI:
		return 0x23
	case llcSTP:
		return 0x31
	case llcIPX:
		return 0x2b
	}
	return protocol
}
