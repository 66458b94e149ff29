package flow

import "testing"

// TestNumbers reads what tells a connection from others, and remembers the
// first segments of payload.
func TestNumbers(t *testing.T) {
	var begun, at []*Conn
	tracker := Tracker{Marks: 2, Begun: func(c *Conn) { begun = append(begun, c) }, Done: func(c *Conn) { at = append(at, c) }}
	for i, p := range []step{
		{src: alice, dst: bob, flags: SYN, seq: 100},
		{src: alice, dst: bob, flags: SYN, seq: 100},
		{src: bob, dst: alice, flags: SYN | ACK, seq: 900, ack: 101},
		{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "0123456789"},
		{src: alice, dst: bob, flags: ACK, seq: 111, ack: 901, data: "0123456789"},
		{src: alice, dst: bob, flags: ACK, seq: 121, ack: 901, data: "0123456789"},
	} {
		s := p.sighting(int64(i+1) * 1000)
		s.Sent = p.src == alice
		if i == 0 {
			copy(s.Data[s.Transport+20:], "\x01\x01\x08\x0a\xab\xcd\xef\x01")
		}
		tracker.See(s)
	}
	tracker.Finish()
	if len(begun) != 1 || len(at) != 1 || begun[0] != at[0] {
		t.Fatalf("%d begun, %d done", len(begun), len(at))
	}
	c := at[0]
	want := Numbers{Client: 100, Server: 900, HasClient: true, HasServer: true, Stamp: 0xabcdef01, Asked: 1000, Answered: 3000, SYNs: 2}
	if c.Numbers != want || !c.Out || c.In {
		t.Errorf("%+v, out %v, in %v", c.Numbers, c.Out, c.In)
	}
	if m := c.Up.Marks; len(m) != 2 || m[0] != (Mark{101, 111, 4000}) || m[1].From != 111 || !m[0].Has(110) || m[0].Has(111) || len(c.Down.Marks) != 0 {
		t.Errorf("marks %+v, %+v", c.Up.Marks, c.Down.Marks)
	}
}
