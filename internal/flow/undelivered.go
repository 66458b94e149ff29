package flow

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// A Complaint is what a message of ICMP or ICMPv6 says of the packet that it
// quotes.
type Complaint struct {
	// By is the address that the message came from: that of the other side,
	// or of a router.
	By netip.Addr
	// Version is that of IP, 4 or 6. Type and Code are as on the wire, RFC 792
	// and RFC 4443.
	Version, Type, Code uint8
	// MTU is the largest packet that fits through, in bytes, of those that say
	// that one was too large; 0 if not known.
	MTU uint32
}

// Types of messages that quote what could not be delivered.
const (
	icmpUnreachable   = 3
	icmpTimeExceeded  = 11
	icmp6Unreachable  = 1
	icmp6TooBig       = 2
	icmp6TimeExceeded = 3

	icmpLen = 8
)

// TooBig reports whether it says that a packet has to be smaller.
func (c *Complaint) TooBig() bool {
	const fragmentationNeeded = 4
	return c.Version == 4 && c.Type == icmpUnreachable && c.Code == fragmentationNeeded ||
		c.Version == 6 && c.Type == icmp6TooBig
}

// Looped reports whether it says that a packet went through too many hops.
func (c *Complaint) Looped() bool {
	return c.Version == 4 && c.Type == icmpTimeExceeded || c.Version == 6 && c.Type == icmp6TimeExceeded
}

// complaint reads an ICMP message and the packet that it quotes, of which at
// least the ports are there. It is not ok for other messages.
func complaint(p *Packet) (c Complaint, quoted Headers, ok bool) {
	if p.Payload == 0 || len(p.Data) < p.Payload+icmpLen {
		return c, quoted, false
	}
	icmp := p.Data[p.Payload:]
	c = Complaint{By: p.Src.Addr(), Version: p.Data[p.Network] >> 4, Type: icmp[0], Code: icmp[1]}
	kind := uint16(etherIPv4)
	switch {
	case p.Proto == ProtoICMP && (c.Type == icmpUnreachable || c.Type == icmpTimeExceeded):
		if c.TooBig() {
			c.MTU = uint32(binary.BigEndian.Uint16(icmp[6:]))
		}
	case p.Proto == ProtoICMPv6 && c.Type >= icmp6Unreachable && c.Type <= icmp6TimeExceeded:
		kind = etherIPv6
		if c.TooBig() {
			c.MTU = binary.BigEndian.Uint32(icmp[4:])
		}
	default:
		return c, quoted, false
	}
	quoted.DecodeFrom(p.Data, p.Payload+icmpLen, kind)
	ok = (quoted.Proto == ProtoTCP || quoted.Proto == ProtoUDP) && quoted.Src.Port() != 0 && quoted.Dst.Port() != 0
	return c, quoted, ok
}

// complain takes a message of ICMP for an event of the connection that it
// quotes, once for each kind of message.
func (t *Tracker) complain(s *Sighting) *Conn {
	said, quoted, ok := complaint(&s.Packet)
	if !ok {
		return nil
	}
	k, c := t.find(s, quoted.Proto, quoted.Src, quoted.Dst)
	if c == nil {
		c = t.elsewhere(s, &quoted)
	}
	if c == nil {
		c = &Conn{Place: s.Place, Wire: k.wire, Host: s.Host, Proto: quoted.Proto, Client: quoted.Src, Server: quoted.Dst, Guessed: true, Start: s.Time, site: s.Site}
		t.add(k, c)
	}
	c.Last = s.Time
	kind := [2]uint8{said.Type, said.Code}
	if c.complained && c.complaint == kind {
		return c
	}
	c.complained, c.complaint = true, kind
	e := &Event{Kind: Undelivered, Time: s.Time, Conn: c, ByClient: quoted.Src != c.Client, Sent: s.Sent, Received: s.Received, Complaint: said}
	if c.asked && c.Down.Packets == 0 && !said.TooBig() {
		c.gaveUp, c.End, e.Refusal = true, Unreached, true
	}
	t.tell(e)
	return c
}

// recent is how many connections are looked through for one of another wire.
const recent = 4096

// elsewhere looks for a connection of the same site: a kernel complains to its
// own sockets on the loopback interface.
func (t *Tracker) elsewhere(s *Sighting, quoted *Headers) *Conn {
	for _, c := range slices.Backward(t.list[max(0, len(t.list)-recent):]) {
		if c.site == s.Site && c.Proto == quoted.Proto &&
			(c.Client == quoted.Src && c.Server == quoted.Dst || c.Client == quoted.Dst && c.Server == quoted.Src) {
			return c
		}
	}
	return nil
}
