package flow

// burst is how many segments sent again, one after another, are an event.
const burst = 3

// segment takes a segment of TCP.
func (t *Tracker) segment(c *Conn, own, other *Side, s *Sighting) {
	e := &t.event
	*e = Event{Time: s.Time, Conn: c, ByClient: own == &c.Up, Sent: s.Sent, Received: s.Received}
	switch {
	case s.Flags&RST != 0:
		c.reset(own, other, s, e)
		t.tell(e)
		return
	case s.Has(SYN | ACK):
		e.Kind = Accepted
		if c.End == Unreached {
			c.End = Open // the SYN was sent again
		}
		if !own.began {
			t.tell(e)
		}
	case s.Flags&SYN != 0:
		if !c.asked {
			c.asked = true
			e.Kind = Opening
			t.tell(e)
		}
	case s.Flags&ACK != 0 && c.Handshake == 0 && c.asked && own == &c.Up && other.began:
		c.Handshake = s.Time - c.Numbers.Asked
	}
	if own.ttl == 0 {
		own.ttl = s.TTL()
	}
	own.probe(other, s)
	t.mark(own, s)
	t.progress(own, s, e)
	if s.Flags&FIN != 0 && !own.FIN {
		own.FIN = true
		e.Kind, e.Seq = Closing, s.End()-1
		e.AfterOtherFIN = other.FIN
		t.tell(e)
	}
	c.settle()
}

// probe counts keepalives: they repeat the last byte, or none, before it.
func (own *Side) probe(other *Side, s *Sighting) {
	if own.began && s.PayloadLen <= 1 && s.Flags&(SYN|FIN) == 0 && s.Seq() == own.next-1 {
		own.probes++
	}
	other.probes = 0
}

// progress follows the sequence numbers of one side.
func (t *Tracker) progress(own *Side, s *Sighting, e *Event) {
	end := s.End()
	again := own.began && end != s.Seq() && int32(end-own.next) <= 0
	// A probe repeats the last byte on purpose, or none.
	probe := s.PayloadLen <= 1 && s.Flags&(SYN|FIN) == 0
	switch {
	case again && !probe:
		own.Retransmits++
		t.repeats = true
		if own.burst++; own.burst == burst {
			e.Kind = Retransmits
			t.tell(e)
		}
	case end != s.Seq():
		own.burst = 0
	}
	if !own.began || int32(end-own.next) > 0 {
		own.began, own.next = true, end
	}
	if s.Flags&SYN == 0 && s.Window() == 0 {
		if own.ZeroWindows++; own.ZeroWindows == 1 {
			e.Kind = NoRoom
			t.tell(e)
		}
	}
}

// reset takes a RST.
func (c *Conn) reset(own, other *Side, s *Sighting, e *Event) {
	e.Kind, e.Seq = Reset, s.Seq()
	e.Bare, e.Terse = s.bare(), s.terse()
	e.Acks = s.Flags&ACK != 0
	e.AfterFIN, e.AfterOtherFIN = own.FIN, other.FIN
	e.AfterReset = own.RST || other.RST
	e.Refusal = c.asked && own == &c.Down && !own.began && e.Acks && s.Ack() == c.Numbers.Client+1
	e.Astray = own.began && !e.Refusal && s.Seq() != own.next && !(own.FIN && s.Seq() == own.next-1)
	if own.ttl != 0 && own.ttl != s.TTL() {
		e.TTL, e.UsualTTL = s.TTL(), own.ttl
	}
	e.Probes = own.probes
	own.RST = true
	switch {
	case c.End >= ResetByClient:
	case e.Refusal:
		c.End = Refused
	case own.FIN && other.FIN:
		c.End = Closed
	case own == &c.Up:
		c.End = ResetByClient
	default:
		c.End = ResetByServer
	}
}
