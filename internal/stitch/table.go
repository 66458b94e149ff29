package stitch

import (
	"net/netip"

	"icap/internal/flow"
)

// A Conn is a redirected half of a connection, or of a DNS query.
type Conn struct {
	seen half
	id   uint16 // of a DNS query

	began bool   // its SYN was seen
	isn   uint32 // the number of that SYN
	end   uint32 // of what it has sent
	ack   uint32 // of what it has received

	state    state
	evidence evidence
	src, dst netip.AddrPort // what the app sees
	text     string         // the comment of its packets
}

// An evidence is what tells the addresses of a half.
type evidence string

const (
	byNumbers   evidence = "sequence numbers"
	byQuery     evidence = "the id of the query"
	byConntrack evidence = "conntrack"
)

// A state is what is known about a half.
type state uint8

const (
	open     state = iota // the other half was not seen yet
	hopeless              // and is not waited for any more
	natural               // the half is not redirected after all
	known
)

// Decided reports whether there is nothing to wait for.
func (c *Conn) Decided() bool { return c.state != open }

// Settled reports whether it is clear what the half is.
func (c *Conn) Settled() bool { return c.state == known || c.state == natural }

// Known reports whether the half can be given its addresses back.
func (c *Conn) Known() bool { return c.state == known }

// GiveUp says that nobody waits for the other half any more.
func (c *Conn) GiveUp() {
	if c.state == open {
		c.state = hopeless
	}
}

// maxConns is how many halves are remembered at least, and half of how many at
// most.
const maxConns = 1 << 16

// A Table knows the redirected halves of a file, up to a limit: of those
// beyond it, the ones that were silent for the longest time are forgotten. The
// zero value is empty.
type Table struct {
	young, old generation
}

// A key tells halves apart. A DNS client may ask several servers from one port.
type key struct {
	half
	id uint16
}

// A handshake is what the answer to a SYN shows of it.
type handshake struct {
	addr netip.Addr
	ack  uint32
}

// A socket is one end of a connection.
type socket struct {
	proto uint8
	addr  netip.AddrPort
}

// A generation is the halves of some time.
type generation struct {
	conns  map[key]*Conn
	begun  map[handshake][]*Conn // open ones whose SYN was seen
	midway map[socket][]*Conn    // open ones whose SYN was not, and queries
}

func newGeneration() generation {
	return generation{
		conns:  make(map[key]*Conn),
		begun:  make(map[handshake][]*Conn),
		midway: make(map[socket][]*Conn),
	}
}

// See takes the next packet of the file. It returns the half that the packet
// is of, if it is a redirected one, and nil for all others, which are answers
// or have nothing to do with any of this.
func (t *Table) See(v *View) *Conn {
	if v.Transport == 0 || v.Proto != flow.ProtoTCP && v.Proto != flow.ProtoUDP {
		return nil
	}
	if v.redirected() {
		return t.sent(v)
	}
	t.answered(v)
	return nil
}

// sent takes a packet of a redirected half.
func (t *Table) sent(v *View) *Conn {
	k := key{half: v.half()}
	anonymous := false
	if v.Proto == flow.ProtoUDP {
		id, ok := v.query()
		k.id, anonymous = id, !ok
	}
	c := t.find(k)
	first := v.Proto == flow.ProtoTCP && v.Flags&(flow.SYN|flow.ACK) == flow.SYN
	if c == nil || first && (!c.began || c.isn != v.Seq()) {
		c = &Conn{seen: k.half, id: k.id}
		if first {
			c.began, c.isn = true, v.Seq()
		}
		if anonymous {
			c.state = hopeless // nothing says what answers it
		}
		t.add(k, c)
	}
	if v.Proto == flow.ProtoTCP {
		c.end, c.ack = v.End(), v.Ack()
	}
	return c
}

// answered takes a packet that may be of the other half.
func (t *Table) answered(v *View) {
	for _, g := range []*generation{&t.young, &t.old} {
		if g.answered(v) {
			return
		}
	}
}

func (g *generation) answered(v *View) bool {
	if v.Proto == flow.ProtoTCP && v.Flags&flow.ACK != 0 && v.Flags&(flow.SYN|flow.RST) != 0 {
		k := handshake{v.Dst.Addr(), v.Ack()}
		if c := samePort(g.begun[k], v.Dst.Port()); c != nil {
			c.join(v)
			forget(g.begun, k, c)
			return true
		}
	}
	k := socket{v.Proto, v.Dst}
	for _, c := range g.midway[k] {
		if c.answeredBy(v) {
			c.join(v)
			forget(g.midway, k, c)
			return true
		}
	}
	return false
}

// samePort chooses among halves whose SYNs had the same number: the one whose
// port the answer goes to, else any. The kernel may have changed the port.
func samePort(conns []*Conn, port uint16) *Conn {
	for _, c := range conns {
		if c.seen.src.Port() == port {
			return c
		}
	}
	if len(conns) > 0 {
		return conns[0]
	}
	return nil
}

// answeredBy reports whether a packet to its socket goes on where a half that
// began before the capture stands, or answers a query.
func (c *Conn) answeredBy(v *View) bool {
	if v.Proto == flow.ProtoUDP {
		id, ok := v.query()
		return ok && id == c.id
	}
	return v.Flags&flow.ACK != 0 && v.Ack() == c.end || v.Seq() == c.ack
}

// join takes the addresses from the other half.
func (c *Conn) join(v *View) {
	c.evidence = byNumbers
	if v.Proto == flow.ProtoUDP {
		c.evidence = byQuery
	}
	c.settle(v.Dst, v.Src)
}

// settle says what addresses the app sees.
func (c *Conn) settle(src, dst netip.AddrPort) {
	c.src, c.dst = src, dst
	c.state = known
	if c.src == c.seen.src && c.dst == c.seen.dst {
		c.state = natural
	}
}

// Translate looks a half up in what the kernel tells of the place where it was
// captured, and reports whether that settles it. One that is settled stays as
// it is.
func (t *Table) Translate(c *Conn, tr *Translations) bool {
	if c.Settled() {
		return true
	}
	src, dst, ok := tr.of(c.seen)
	if !ok {
		return false
	}
	for _, g := range []*generation{&t.young, &t.old} {
		forget(g.begun, c.handshake(), c)
		forget(g.midway, c.socket(), c)
	}
	c.evidence = byConntrack
	c.settle(src, dst)
	return true
}

// forget takes a half off one of the lists of a generation.
func forget[K comparable](lists map[K][]*Conn, k K, c *Conn) {
	list, ok := lists[k]
	if !ok {
		return
	}
	for i := range list {
		if list[i] == c {
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
			break
		}
	}
	if lists[k] = list; len(list) == 0 {
		delete(lists, k)
	}
}

// handshake is what the answer to the SYN of a half would show.
func (c *Conn) handshake() handshake { return handshake{c.seen.src.Addr(), c.isn + 1} }

// socket is the one that sends the half.
func (c *Conn) socket() socket { return socket{c.seen.proto, c.seen.src} }

// find returns a half that is remembered, and keeps it from being forgotten.
func (t *Table) find(k key) *Conn {
	if c := t.young.conns[k]; c != nil {
		return c
	}
	c := t.old.conns[k]
	if c != nil {
		t.young.conns[k] = c
	}
	return c
}

// add remembers a half that has just begun, or was met midway.
func (t *Table) add(k key, c *Conn) {
	if t.young.conns == nil || len(t.young.conns) >= maxConns {
		t.old, t.young = t.young, newGeneration()
	}
	g := &t.young
	g.conns[k] = c
	switch {
	case c.state == hopeless:
	case c.began:
		g.begun[c.handshake()] = append(g.begun[c.handshake()], c)
	default:
		g.midway[c.socket()] = append(g.midway[c.socket()], c)
	}
}

// Original are the addresses of a Known half as its sender saw them.
func (c *Conn) Original() (src, dst netip.AddrPort) { return c.src, c.dst }
