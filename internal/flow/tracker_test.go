package flow

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

const (
	alice = "10.0.0.1:40000"
	bob   = "10.0.0.2:80"
)

// A step is one segment of a story, a second after the one before unless at
// says otherwise.
type step struct {
	src, dst string
	flags    Flags
	seq, ack uint32
	data     string
	at       float64 // seconds; 0: one after the last
	window   int     // 0: 500, -1: none
	bare     bool
	ttl      byte // 0: 64
}

// sighting makes a packet of a step, behind an Ethernet header.
func (s step) sighting(at int64) *Sighting {
	src, dst := netip.MustParseAddrPort(s.src), netip.MustParseAddrPort(s.dst)
	options := 12
	window := 500
	if s.window != 0 {
		window = max(s.window, 0)
	}
	id := uint16(7)
	if s.bare {
		options, window, id = 0, 0, 0
	}
	b := make([]byte, etherLen+ipv4Len+20+options)
	binary.BigEndian.PutUint16(b[12:], etherIPv4)
	ip := b[etherLen:]
	ip[0], ip[9] = 0x45, ProtoTCP
	binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Len+20+options+len(s.data)))
	binary.BigEndian.PutUint16(ip[4:], id)
	ip[8] = cmp.Or(s.ttl, 64)
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	tcp := ip[ipv4Len:]
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], s.seq)
	binary.BigEndian.PutUint32(tcp[8:], s.ack)
	tcp[12] = byte(5+options/4) << 4
	tcp[13] = byte(s.flags)
	binary.BigEndian.PutUint16(tcp[14:], uint16(window))
	for i := range options {
		tcp[20+i] = 1 // no operation
	}
	p := &Sighting{Place: "lo", Time: at, Len: len(b) + len(s.data)}
	p.Data = append(b, s.data...)
	p.Decode(p.Data)
	return p
}

// tell shows a tracker a story, and returns what happened in it.
func tell(steps []step) (events []string, conns []*Conn) {
	t := Tracker{
		Event: func(e *Event) {
			line := e.Kind.String()
			if e.ByClient {
				line += " by client"
			}
			for _, is := range []struct {
				set  bool
				word string
			}{
				{e.Refusal, "refusal"}, {e.Bare, "bare"}, {e.AfterFIN, "after FIN"}, {e.AfterOtherFIN, "after other FIN"},
				{e.AfterReset, "after RST"}, {e.Astray, "astray"}, {e.TTL != 0, fmt.Sprintf("TTL %d for %d", e.TTL, e.UsualTTL)},
				{e.Probes > 0, fmt.Sprintf("%d probes", e.Probes)}, {e.Waited > 0, fmt.Sprintf("waited %g s", float64(e.Waited)/1e9)},
			} {
				if is.set {
					line += ", " + is.word
				}
			}
			events = append(events, line)
		},
		Done: func(c *Conn) { conns = append(conns, c) },
	}
	at := int64(0)
	for _, s := range steps {
		at += 1e9
		if s.at > 0 {
			at = int64(s.at * 1e9)
		}
		t.See(s.sighting(at))
	}
	t.Finish()
	return events, conns
}

var handshake = []step{
	{src: alice, dst: bob, flags: SYN, seq: 100, at: 1},
	{src: bob, dst: alice, flags: SYN | ACK, seq: 900, ack: 101, at: 1.25},
	{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, at: 1.5},
}

func TestTracker(t *testing.T) {
	for _, test := range []struct {
		name   string
		steps  []step
		events string
		end    Ending
		check  func(c *Conn) bool
	}{
		{"closed", []step{
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "GET / HTTP/1.1\r\n\r\n"},
			{src: bob, dst: alice, flags: ACK, seq: 901, ack: 119, data: "HTTP/1.1 200 OK\r\n\r\n"},
			{src: alice, dst: bob, flags: FIN | ACK, seq: 119, ack: 920},
			{src: bob, dst: alice, flags: FIN | ACK, seq: 920, ack: 120},
			{src: alice, dst: bob, flags: ACK, seq: 120, ack: 921},
		}, "SYN by client; SYN-ACK; FIN by client; FIN, after other FIN", Closed, func(c *Conn) bool {
			return c.Up.Packets == 5 && c.Down.Packets == 3 && c.Up.Payload == 18 && c.Down.Payload == 19 &&
				c.Handshake == 5e8 && c.Speaks.Protocol == HTTP1 && c.Up.Retransmits+c.Down.Retransmits == 0
		}},
		{"process aborts", []step{
			{src: bob, dst: alice, flags: RST | ACK, seq: 901, ack: 101},
		}, "SYN by client; SYN-ACK; RST", ResetByServer, nil},
		{"data after close", []step{
			{src: bob, dst: alice, flags: FIN | ACK, seq: 901, ack: 101},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 902, data: "more"},
			{src: bob, dst: alice, flags: RST, seq: 902, bare: true},
		}, "SYN by client; SYN-ACK; FIN; RST, bare, after FIN", ResetByServer, nil},
		{"a RST at the end of all", []step{
			{src: alice, dst: bob, flags: FIN | ACK, seq: 101, ack: 901},
			{src: bob, dst: alice, flags: FIN | ACK, seq: 901, ack: 102},
			{src: alice, dst: bob, flags: RST, seq: 102, bare: true},
		}, "SYN by client; SYN-ACK; FIN by client; FIN, after other FIN; RST by client, bare, after FIN, after other FIN", Closed, nil},
		{"forged", []step{
			{src: bob, dst: alice, flags: RST, seq: 77777, bare: true},
		}, "SYN by client; SYN-ACK; RST, bare, astray", ResetByServer, nil},
		{"forged well", []step{
			{src: bob, dst: alice, flags: RST, seq: 901, ttl: 61},
		}, "SYN by client; SYN-ACK; RST, TTL 61 for 64", ResetByServer, nil},
		{"kept alive in vain", []step{
			{src: alice, dst: bob, flags: ACK, seq: 100, ack: 901},
			{src: bob, dst: alice, flags: ACK, seq: 901, ack: 101},
			{src: alice, dst: bob, flags: ACK, seq: 100, ack: 901},
			{src: alice, dst: bob, flags: ACK, seq: 100, ack: 901},
			{src: alice, dst: bob, flags: RST | ACK, seq: 101, ack: 901},
		}, "SYN by client; SYN-ACK; RST by client, 2 probes", ResetByClient, func(c *Conn) bool { return c.Up.Retransmits == 0 }},
		{"late data in TIME_WAIT", []step{
			{src: alice, dst: bob, flags: FIN | ACK, seq: 101, ack: 901},
			{src: bob, dst: alice, flags: FIN | ACK, seq: 901, ack: 102},
			{src: alice, dst: bob, flags: ACK, seq: 102, ack: 902},
			{src: bob, dst: alice, flags: ACK, seq: 902, ack: 102, data: "late"},
			{src: alice, dst: bob, flags: RST, seq: 102, bare: true},
		}, "SYN by client; SYN-ACK; FIN by client; FIN, after other FIN; RST by client, bare, after FIN, after other FIN", Closed, nil},
		{"sent again", []step{
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "hello"},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "hello"},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "hello"},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "hello"},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901, data: "hello"},
		}, "SYN by client; SYN-ACK; retransmissions by client", Open, func(c *Conn) bool { return c.Up.Retransmits == 4 }},
		{"no room, and probes", []step{
			{src: bob, dst: alice, flags: ACK, seq: 901, ack: 101, window: -1},
			{src: alice, dst: bob, flags: ACK, seq: 100, ack: 901, data: "x"},
			{src: bob, dst: alice, flags: ACK, seq: 901, ack: 101, window: -1},
		}, "SYN by client; SYN-ACK; zero window", Open, func(c *Conn) bool {
			return c.Down.ZeroWindows == 2 && c.Up.Retransmits == 0
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, conns := tell(append(append([]step(nil), handshake...), test.steps...))
			if got := strings.Join(events, "; "); got != test.events {
				t.Errorf("got  %s\nwant %s", got, test.events)
			}
			if len(conns) != 1 || conns[0].End != test.end || conns[0].Guessed || conns[0].Client.String() != alice {
				t.Fatalf("%d connections, the first %+v", len(conns), conns[0])
			}
			if test.check != nil && !test.check(conns[0]) {
				t.Errorf("%+v", conns[0])
			}
		})
	}
}

func TestTrackerBeginnings(t *testing.T) {
	for _, test := range []struct {
		name   string
		steps  []step
		events string
		conns  string
	}{
		{"refused", []step{
			{src: alice, dst: bob, flags: SYN, seq: 100},
			{src: bob, dst: alice, flags: RST | ACK, seq: 0, ack: 101, bare: true},
		}, "SYN by client; RST, refusal, bare", alice + " > " + bob + " refused false"},
		{"unanswered", []step{
			{src: alice, dst: bob, flags: SYN, seq: 100},
			{src: alice, dst: bob, flags: SYN, seq: 100, at: 2},
			{src: alice, dst: bob, flags: SYN, seq: 100, at: 4},
		}, "SYN by client; no answer by client, waited 3 s", alice + " > " + bob + " no answer false"},
		{"unanswered, and others go on", []step{
			{src: alice, dst: bob, flags: SYN, seq: 100},
			{src: "10.0.0.9:9", dst: "10.0.0.8:8", flags: ACK, seq: 100, at: 20},
			{src: alice, dst: bob, flags: ACK, seq: 101},
		}, "SYN by client; no answer by client, waited 19 s", alice + " > " + bob + " no answer false; 10.0.0.9:9 > 10.0.0.8:8 open true"},
		{"begins with the answer", []step{
			{src: bob, dst: alice, flags: SYN | ACK, seq: 900, ack: 101},
			{src: alice, dst: bob, flags: ACK, seq: 101, ack: 901},
		}, "SYN-ACK", alice + " > " + bob + " open false"},
		{"older than the capture", []step{
			{src: bob, dst: alice, flags: ACK, seq: 900, ack: 101},
		}, "", alice + " > " + bob + " open true"},
		{"the same sockets again", []step{
			{src: alice, dst: bob, flags: SYN, seq: 100},
			{src: bob, dst: alice, flags: RST | ACK, seq: 0, ack: 101, bare: true},
			{src: alice, dst: bob, flags: SYN, seq: 5000},
			{src: bob, dst: alice, flags: SYN | ACK, seq: 900, ack: 5001},
		}, "SYN by client; RST, refusal, bare; SYN by client; SYN-ACK",
			alice + " > " + bob + " refused false; " + alice + " > " + bob + " open false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, conns := tell(test.steps)
			if got := strings.Join(events, "; "); got != test.events {
				t.Errorf("got  %s\nwant %s", got, test.events)
			}
			var all []string
			for _, c := range conns {
				all = append(all, fmt.Sprintf("%s > %s %s %v", c.Client, c.Server, c.End, c.Guessed))
			}
			if got := strings.Join(all, "; "); got != test.conns {
				t.Errorf("got  %s\nwant %s", got, test.conns)
			}
		})
	}
}

// FuzzTracker shows the tracker anything.
func FuzzTracker(f *testing.F) {
	for _, s := range handshake {
		f.Add(s.sighting(1).Data, s.sighting(1).Data, uint8(1))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, sent uint8) {
		seen, done := uint64(0), uint64(0)
		tracker := Tracker{Done: func(c *Conn) { done += c.Up.Packets + c.Down.Packets }}
		for i := range 6 {
			s := &Sighting{Time: int64(i) << sent, Len: 1}
			if s.Data = a; i%2 == 1 {
				s.Data = b
			}
			if s.Decode(s.Data); s.Transport != 0 && (s.Proto == ProtoTCP || s.Proto == ProtoUDP) {
				seen++
			}
			tracker.See(s)
		}
		tracker.Finish()
		if seen != done {
			t.Errorf("%d packets seen, %d on connections", seen, done)
		}
	})
}

// TestTorn follows a connection whose packets were named differently.
func TestTorn(t *testing.T) {
	var conns []*Conn
	tracker := Tracker{Done: func(c *Conn) { conns = append(conns, c) }}
	for i, step := range handshake {
		s := step.sighting(int64(i))
		s.Wire, s.Place = "lo", fmt.Sprint("lo:", i%2)
		tracker.See(s)
	}
	tracker.Finish()
	if len(conns) != 1 || !conns[0].Torn || conns[0].Place != "lo:0" {
		t.Errorf("%+v", conns)
	}
}
