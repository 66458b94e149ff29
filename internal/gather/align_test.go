package gather_test

import (
	"strings"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/pcapwriter"
)

func offset(ahead time.Duration) gather.Offset {
	return gather.Offset{Ahead: ahead, Uncertainty: time.Millisecond, At: time.Unix(1, 0)}
}

// TestClocks merges two nodes of which one is a minute ahead. Aligned, the file
// is in the order of what happened; else the clocks are only told.
func TestClocks(t *testing.T) {
	for _, tt := range []struct {
		align bool
		data  string
		times []int64 // ms
		about string
	}{
		{false, "one three two", []int64{100, 300, 60_200}, "node ahead, clock +1m0s ±1ms; about eth0:inbound-wire@ahead"},
		{true, "one two three", []int64{100, 200, 300}, "node ahead, clock +1m0s ±1ms, corrected; about eth0:inbound-wire@ahead"},
	} {
		right, ahead := oneLeg("right"), oneLeg("ahead")
		right.packet(0, 100, "one")
		right.packet(0, 300, "three")
		right.statistics(400)
		ahead.packet(0, 60_200, "two")
		ahead.statistics(60_400)
		a, b := right.source("right"), ahead.source("ahead")
		b.Clock = offset(time.Minute)
		_, file := merged(t, gather.Config{Align: tt.align}, a, b)
		if got := strings.Join(data(t, file), " "); got != tt.data {
			t.Errorf("align %v: got %q, want %q", tt.align, got, tt.data)
		}
		var times []int64
		for _, b := range read(t, file) {
			switch p := b.Packet; {
			case p != nil:
				times = append(times, p.Time/1e6)
				if d := p.Interface.Description; strings.HasPrefix(d, "node ahead") && d != tt.about {
					t.Errorf("description %q, want %q", d, tt.about)
				}
			case b.Type == capfile.TypeStatistics && strings.Contains(string(b.Raw), "clock"):
				if !strings.Contains(string(b.Raw), "clock +1m0s ±1ms") {
					t.Errorf("statistics %q", b.Raw)
				}
			}
		}
		for i, want := range tt.times {
			if times[i] != want {
				t.Errorf("align %v: times %v, want %v", tt.align, times, tt.times)
				break
			}
		}
	}
}

// TestDrift has a clock drift away and be set: the correction follows without
// putting packets out of order, and jumps with the clock.
func TestDrift(t *testing.T) {
	play(t, gather.Config{Align: true}, 0, func(s *scene) {
		n := s.join("n", offset(0))
		at := func(ms int64) { // a packet that happened at this time
			n.add(&pcapwriter.Packet{Time: ms * 1e6, Data: []byte("x")})
			n.send()
		}
		at(1000)
		n.SetClock(offset(900 * time.Microsecond)) // no more than was uncertain
		at(2000)
		n.SetClock(offset(10 * time.Millisecond))
		at(2001) // corrected by 500 ns
		at(3001)
		at(33_001) // by all of it
		n.SetClock(offset(-time.Hour))
		at(100_000)
		s.finish()
		var got []int64
		for _, b := range read(t, content(t, s.f)) {
			if b.Packet != nil {
				got = append(got, b.Packet.Time)
			}
		}
		want := []int64{1000e6, 2000e6, 2001e6 - 500, 3001e6 - 500_500, 33_001e6 - 10e6, 100_000e6 + 3_600_000e6}
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				s.t.Fatalf("got  %v\nwant %v", got, want)
			}
		}
	})
}
