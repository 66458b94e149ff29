package flow

import (
	"cmp"
	"net/netip"
)

// A Tracker follows connections. Its fields are set before the first packet.
type Tracker struct {
	// Event is told what happens, in time order; it may be nil. The event is
	// valid during the call, its connection for as long as the Tracker.
	Event func(*Event)
	// Begun is told of each connection ahead of its first event, when nothing
	// is counted yet; it may be nil.
	Begun func(*Conn)
	// Done is told of each connection that will not change any more; it may
	// be nil.
	Done func(*Conn)
	// Most is how many connections are followed at a time, 0 meaning 262144.
	// When there are more, the older half is done with.
	Most int
	// Marks is how many segments of payload are remembered of each side.
	Marks int

	conns map[track]*Conn
	list  []*Conn // in the order of their beginning
	now   int64   // when unanswered SYNs were looked for last
	last  int64   // when the last packet was captured

	event   Event // the one that is told
	repeats bool  // the last packet was sent before
}

// A track tells connections apart. a is the smaller of the two.
type track struct {
	wire  string
	proto uint8
	a, b  netip.AddrPort
}

// A Sighting is a packet where and when it was captured.
type Sighting struct {
	Packet
	Place string
	// Wire is what all places have in common at which packets of the same
	// connections are captured, such as an interface that has several legs.
	// Empty means Place.
	Wire string
	// Site is what all wires of a host have in common, such as its name.
	Site string
	// Host is whose clock has told the time, such as the name of a node; empty
	// if one is that of all.
	Host string
	// Redirects are the ports that connections are redirected to at the
	// place, as far as the caller knows. It may be shared.
	Redirects      []uint16
	Time           int64 // in nanoseconds since 1970
	Len            int   // on the wire
	Sent, Received bool  // which way it went, where the capture tells
	// Missed is how many packets the capture has lost ahead of it.
	Missed uint64
}

// unanswered is how long a SYN waits for its answer before that is an event,
// in nanoseconds. The kernel sends it again after 1, 3 and 7 seconds.
const unanswered = 7_500_000_000

// maxConns is how many connections are followed at a time. When there are
// more, the older half is done with.
const maxConns = 1 << 18

// See takes the next packet. Those that are neither TCP nor UDP are left out,
// but for ICMP that quotes one of them.
func (t *Tracker) See(s *Sighting) { t.Follow(s) }

// Follow is See, and returns the packet's connection, nil if it is left out.
func (t *Tracker) Follow(s *Sighting) *Conn {
	t.repeats = false
	t.last = max(t.last, s.Time)
	t.advance(s.Time)
	if s.Proto == ProtoICMP || s.Proto == ProtoICMPv6 {
		return t.complain(s)
	}
	if s.Transport == 0 || s.Proto != ProtoTCP && s.Proto != ProtoUDP {
		return nil
	}
	c, begun := t.conn(s)
	if s.Proto == ProtoTCP && s.Flags&(SYN|RST) == SYN {
		c.Numbers.begin(s)
	}
	if begun && t.Begun != nil {
		t.Begun(c)
	}
	own, other := c.from(s.Src)
	own.Packets++
	own.Bytes += uint64(s.Len)
	own.Payload += uint64(s.PayloadLen)
	c.Last = s.Time
	if s.Proto == ProtoTCP {
		t.segment(c, own, other, s)
	}
	c.listen(own, s)
	return c
}

// Repeats reports whether the last packet was a segment of TCP that had been
// sent before, and no probe.
func (t *Tracker) Repeats() bool { return t.repeats }

// conn finds the connection of a packet, or begins one.
func (t *Tracker) conn(s *Sighting) (c *Conn, begun bool) {
	first := s.Proto == ProtoTCP && s.Flags&(SYN|ACK) == SYN
	k, c := t.find(s, s.Proto, s.Src, s.Dst)
	if c != nil && !(first && c.reused(s)) {
		c.Torn = c.Torn || c.Place != s.Place
		return c, false
	}
	c = &Conn{Place: s.Place, Wire: k.wire, Host: s.Host, Proto: s.Proto, Client: s.Src, Server: s.Dst, Start: s.Time, Redirects: s.Redirects, site: s.Site}
	if !first {
		c.Guessed = true
		if answer := s.Proto == ProtoTCP && s.Has(SYN|ACK); answer || s.Src.Port() < s.Dst.Port() {
			c.Client, c.Server = s.Dst, s.Src
			c.Guessed = !answer
		}
	}
	c.Out, c.In = s.Sent, s.Received
	if s.Src != c.Client {
		c.Out, c.In = s.Received, s.Sent
	}
	t.add(k, c)
	return c, true
}

// find looks for the connection between two sockets, nil if there is none.
func (t *Tracker) find(s *Sighting, proto uint8, src, dst netip.AddrPort) (track, *Conn) {
	k := track{cmp.Or(s.Wire, s.Place), proto, src, dst}
	if dst.Compare(src) < 0 {
		k.a, k.b = k.b, k.a
	}
	return k, t.conns[k]
}

// reused reports whether a SYN begins another connection between the sockets
// of an older one.
func (c *Conn) reused(s *Sighting) bool {
	return !c.asked && c.Up.Packets+c.Down.Packets > 0 || c.asked && (c.Numbers.Client != s.Seq() || s.Src != c.Client)
}

func (t *Tracker) add(k track, c *Conn) {
	if t.conns == nil {
		t.conns = make(map[track]*Conn)
	}
	t.conns[k] = c
	t.list = append(t.list, c)
	if len(t.list) > cmp.Or(t.Most, maxConns) {
		t.retire(len(t.list) / 2)
	}
}

// Conns are the connections that are followed, in the order of their
// beginning. They are valid until the next call of a method.
func (t *Tracker) Conns() []*Conn { return t.list }

// retire is done with the n oldest connections.
func (t *Tracker) retire(n int) {
	old := make(map[*Conn]bool, n)
	for _, c := range t.list[:n] {
		old[c] = true
		t.done(c)
	}
	for k, c := range t.conns {
		if old[c] {
			delete(t.conns, k)
		}
	}
	t.list = append([]*Conn(nil), t.list[n:]...)
}

func (t *Tracker) done(c *Conn) {
	c.Up.head, c.Down.head = nil, nil
	if t.Done != nil {
		t.Done(c)
	}
}

// Finish says that no packet follows, and is done with all connections.
func (t *Tracker) Finish() {
	for _, c := range t.list {
		if c.asked && !c.gaveUp && c.Down.Packets == 0 {
			t.giveUp(c)
		}
	}
	t.retire(len(t.list))
}

// advance tells of SYNs that have waited for too long.
func (t *Tracker) advance(now int64) {
	const second = 1_000_000_000
	if now < t.now+second {
		return
	}
	t.now = now
	for _, c := range t.list {
		if c.asked && !c.gaveUp && c.Down.Packets == 0 && c.Numbers.Asked+unanswered <= now {
			t.giveUp(c)
		}
	}
}

func (t *Tracker) giveUp(c *Conn) {
	c.gaveUp = true
	c.End = Unanswered
	t.tell(&Event{Kind: NoAnswer, Time: t.last, Conn: c, ByClient: true, Waited: t.last - c.Numbers.Asked})
}

func (t *Tracker) tell(e *Event) {
	if t.Event != nil {
		t.Event(e)
	}
}
