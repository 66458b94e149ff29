package flow

import "encoding/binary"

// Numbers are what is known of how a connection of TCP began. NAT and redirects
// leave all of them as they are, so they tell a connection wherever it is
// captured.
type Numbers struct {
	// Client and Server are the initial sequence numbers, if HasClient and
	// HasServer.
	Client, Server       uint32
	HasClient, HasServer bool
	// Stamp is the first timestamp of the client, RFC 7323; 0 if there is none
	// or its SYN was not captured.
	Stamp uint32
	// Asked and Answered are when the first SYN and the first answer to it were
	// captured, in nanoseconds since 1970; 0 if they were not.
	Asked, Answered int64
	// SYNs is how many SYNs there were until then.
	SYNs int
}

// begin takes the numbers of a segment that may be the first one.
func (n *Numbers) begin(s *Sighting) {
	switch {
	case s.Has(SYN | ACK):
		n.Server, n.HasServer = s.Seq(), true
		if !n.HasClient {
			n.Client, n.HasClient = s.Ack()-1, true
		}
		if n.Answered == 0 {
			n.Answered = s.Time
		}
	case s.Flags&SYN != 0:
		if n.Answered == 0 {
			n.SYNs++
		}
		if n.Asked == 0 {
			n.Client, n.HasClient, n.Asked = s.Seq(), true, s.Time
			n.Stamp = s.stamp()
		}
	}
}

// stamp is the value of the timestamp option of a segment, 0 if it has none or
// it was not captured.
func (p *Packet) stamp() uint32 {
	const tcpLen, end, nop, timestamps, timestampsLen = 20, 0, 1, 8, 10
	from, to := p.Transport+tcpLen, min(p.Payload, len(p.Data))
	if from >= to {
		return 0 // none, also where the header claims less than it takes
	}
	options := p.Data[from:to]
	for len(options) > 1 && options[0] != end {
		if options[0] == nop {
			options = options[1:]
			continue
		}
		n := int(options[1])
		if n < 2 || n > len(options) {
			return 0
		}
		if options[0] == timestamps && n == timestampsLen {
			return binary.BigEndian.Uint32(options[2:])
		}
		options = options[n:]
	}
	return 0
}

// A Mark is a segment of payload: its sequence numbers from the first byte to
// the one behind the last, and when it was captured, in nanoseconds since 1970.
type Mark struct {
	From, To uint32
	Time     int64
}

// Has reports whether a byte with a sequence number is in the segment.
func (m Mark) Has(seq uint32) bool { return int32(seq-m.From) >= 0 && int32(seq-m.To) < 0 }

// mark remembers a segment, if it is one of the first.
func (t *Tracker) mark(own *Side, s *Sighting) {
	if s.PayloadLen > 0 && len(own.Marks) < t.Marks {
		own.Marks = append(own.Marks, Mark{s.Seq(), s.Seq() + uint32(s.PayloadLen), s.Time})
	}
}

// Reached is the sequence number behind all that a side has sent; not ok if it
// has sent nothing.
func (s *Side) Reached() (seq uint32, ok bool) { return s.next, s.began }
