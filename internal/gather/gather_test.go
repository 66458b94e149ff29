package gather_test

import (
	"slices"
	"testing"

	"icap/internal/gather"
)

func TestOrder(t *testing.T) {
	a, b := stream("eth0:inbound-wire@a.shop", "lo:inbound-app@a.shop"), stream("eth0:outbound-wire@b.shop")
	a.packet(0, 10, "one")
	a.packet(1, 30, "three")
	a.statistics(35)
	b.packet(0, 20, "two")
	b.packet(0, 40, "four")
	a.packet(0, 50, "five")
	a.statistics(51)
	b.statistics(41)
	r, file := merged(t, gather.Config{}, a.source("n1"), b.source("n2"))
	want := []string{
		"10 eth0:inbound-wire@a.shop one", "20 eth0:outbound-wire@b.shop two", "30 lo:inbound-app@a.shop three",
		"counted 1 of", "counted 1 of", "40 eth0:outbound-wire@b.shop four", "counted 2 of",
		"50 eth0:inbound-wire@a.shop five", "counted 2 of", "counted 1 of",
	}
	got := texts(read(t, file))
	if !slices.EqualFunc(got, want, func(g, w string) bool { return len(g) >= len(w) && g[:len(w)] == w }) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r.Packets != 5 || r.Late != 0 {
		t.Errorf("result %+v", r)
	}
	for i, s := range r.Streams {
		if s.Err != nil || !s.Ended || s.Packets != []uint64{3, 2}[i] || s.Received != s.Packets {
			t.Errorf("stream %+v", s)
		}
	}
}
