package istiofilter_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"icap/istiofilter"
)

// samples are packets of connections that are known once they were seen, one
// for each way to a leg.
func samples(tb testing.TB) map[string]istiofilter.Packet {
	tb.Helper()
	all := make(map[string]istiofilter.Packet)
	for name, addrs := range map[string][2]string{
		"inbound-app":     {"127.0.0.6:50000", "10.244.0.11:8080"},
		"outbound-app":    {"10.244.0.11:50000", "127.0.0.1:15001"},
		"outbound-answer": {"10.96.0.10:80", "10.244.0.11:50000"},
		"self-wire":       {"10.244.0.11:50002", "127.0.0.1:15006"},
		"self":            {"10.244.0.11:8080", "10.244.0.11:50004"},
		"inbound-wire":    {"10.244.0.12:50000", "10.244.0.11:8080"},
		"outbound-wire":   {"10.244.0.12:8080", "10.244.0.11:50002"},
		"inbound-wire-6":  {"[fd00::c]:50000", "[fd00::b]:8080"},
	} {
		all[name] = istiofilter.Packet{
			Loopback: name != "inbound-wire" && name != "outbound-wire" && name != "inbound-wire-6",
			Proto:    6, ACK: true,
			Src: netip.MustParseAddrPort(addrs[0]), Dst: netip.MustParseAddrPort(addrs[1]),
		}
	}
	all["udp"] = istiofilter.Packet{
		Proto: 17,
		Src:   netip.MustParseAddrPort("10.244.0.12:53"), Dst: netip.MustParseAddrPort("10.244.0.11:50000"),
	}
	return all
}

// stranger turns a packet into one of the n-th connection.
func stranger(p *istiofilter.Packet, n int) {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 0x0b000000+uint32(n))
	p.Src = netip.AddrPortFrom(netip.AddrFrom4(a), p.Src.Port())
}

func TestLegDoesNotAllocate(t *testing.T) {
	for name, p := range samples(t) {
		c := istiofilter.NewClassifier(withDNS())
		if n := testing.AllocsPerRun(1000, func() { c.Leg(&p) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestManyConnections has connections come without end.
func TestManyConnections(t *testing.T) {
	c := istiofilter.NewClassifier(sidecar())
	p := samples(t)["inbound-wire"]
	n := 0
	next := func() {
		n++
		stranger(&p, n)
		c.Leg(&p)
	}
	for range 3 << 16 {
		next()
	}
	if got := testing.AllocsPerRun(2<<16, next); got != 0 {
		t.Errorf("%v allocations", got)
	}
	// The table holds two generations of 1<<16.
	if got := c.Forgotten(); got == 0 || got > uint64(n) || uint64(n)-got > 2<<16 {
		t.Errorf("of %d connections %d are forgotten", n, got)
	}
}

// TestLegDoesNotAllocateByRulesAndMarks has packets that take more than their
// addresses.
func TestLegDoesNotAllocateByRulesAndMarks(t *testing.T) {
	p := tproxy()
	p.OutboundRules = []istiofilter.Rule{
		{Links: []string{"lo"}}, {Ports: []uint16{3306}}, {Peer: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, {Redirect: true},
	}
	c := istiofilter.NewClassifier(p)
	at := netip.MustParseAddrPort
	for _, packet := range []istiofilter.Packet{
		{Loopback: true, Proto: 6, SYN: true, Origin: istiofilter.OriginSelf, Src: at("10.244.0.11:50000"), Dst: at("10.244.0.11:8080")},
		{Loopback: true, Proto: 6, ACK: true, Origin: istiofilter.OriginOther, Src: at("10.244.0.11:50000"), Dst: at("10.244.0.11:8080")},
		{Link: "eth0", Sent: true, Proto: 6, SYN: true, Src: at("10.244.0.11:50000"), Dst: at("10.244.0.12:3306")},
		{Link: "eth0", Proto: 6, SYN: true, Src: at("10.244.0.12:50000"), Dst: at("10.244.0.11:8080")},
	} {
		if n := testing.AllocsPerRun(1000, func() { c.Leg(&packet) }); n != 0 {
			t.Errorf("%+v: %v allocations", packet, n)
		}
	}
}

func BenchmarkLeg(b *testing.B) {
	for name, p := range samples(b) {
		b.Run(name, func(b *testing.B) {
			c := istiofilter.NewClassifier(sidecar())
			b.ReportAllocs()
			for b.Loop() {
				c.Leg(&p)
			}
		})
	}
	known := samples(b)["inbound-wire"]
	b.Run("one-of-10000", func(b *testing.B) {
		c, n := istiofilter.NewClassifier(sidecar()), 0
		b.ReportAllocs()
		for b.Loop() {
			n++
			stranger(&known, n%10000)
			c.Leg(&known)
		}
	})
	b.Run("new", func(b *testing.B) {
		c, n := istiofilter.NewClassifier(sidecar()), 0
		b.ReportAllocs()
		for b.Loop() {
			n++
			stranger(&known, n)
			c.Leg(&known)
		}
	})
}
