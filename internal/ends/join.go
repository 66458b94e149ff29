package ends

import "icap/internal/flow"

// A Join is one connection at both of its ends.
type Join struct {
	// Client and Server are the ends in the pods of the client and the server.
	Client, Server End
	// Certain says that it cannot be two; Evidence is what they have in common.
	Certain  bool
	Evidence string
	// Translated says that addresses were changed on the way.
	Translated bool
}

// Other is the end that shows the connection as another one than this.
func (j *Join) Other(c *flow.Conn) End {
	if c == j.Client.Conn {
		return j.Server
	}
	return j.Client
}

// RoundTrip is for how long the SYN and its answer were between the two ends,
// in nanoseconds: no clock is compared with another one. It is not ok unless
// each was captured at both ends, and sent once.
func (j *Join) RoundTrip() (ns int64, ok bool) {
	c, s := j.Client.Numbers, j.Server.Numbers
	if c.SYNs != 1 || s.SYNs != 1 || c.Answered == 0 || s.Answered == 0 {
		return 0, false
	}
	return (c.Answered - c.Asked) - (s.Answered - s.Asked), true
}

// Offset is how far the clock at the server's end is ahead of that at the
// client's, in nanoseconds, if packets take as long there as back: it can be
// wrong by half of the round trip.
func (j *Join) Offset() (ns int64, ok bool) {
	if _, ok := j.RoundTrip(); !ok {
		return 0, false
	}
	c, s := j.Client.Numbers, j.Server.Numbers
	return ((s.Asked - c.Asked) + (s.Answered - c.Answered)) / 2, true
}

// OneClock reports whether the times of both ends are of one clock, as far as
// they show: with two, packets can come before they are sent.
func (j *Join) OneClock() bool {
	c, s := j.Client.Numbers, j.Server.Numbers
	if j.Client.Host != j.Server.Host {
		return false
	}
	_, ok := j.RoundTrip()
	return !ok || c.Asked <= s.Asked && s.Answered <= c.Answered
}
