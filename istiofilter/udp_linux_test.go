package istiofilter_test

import (
	"net/netip"
	"testing"

	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
)

// TestLabUDP has datagrams, to which ICMP answers that nobody listens.
func TestLabUDP(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	j := newJudge(t, namedPod{"lab", readPod(t, l.App.NS)})
	for name, c := range map[string]struct {
		to        netip.AddrPort
		udp, icmp istiofilter.Leg
	}{
		"DNS":       {netip.AddrPortFrom(l.Client.Addr, 53), istiofilter.DNSWire, istiofilter.Direct},
		"peer":      {netip.AddrPortFrom(l.Client.Addr, 9), istiofilter.Direct, istiofilter.Direct},
		"multicast": {netip.MustParseAddrPort("224.0.0.251:5353"), istiofilter.Direct, istiofilter.Direct},
		"own pod":   {netip.AddrPortFrom(l.App.Addr, 9), istiofilter.Self, istiofilter.Self},
		"localhost": {netip.MustParseAddrPort("127.0.0.1:15001"), istiofilter.Self, istiofilter.Self},
	} {
		t.Run(name, func(t *testing.T) {
			const sent = 3
			records := capturePod(t, l, func() {
				// An answer of ICMP makes the next sending fail.
				for range sent {
					if _, err := lab.SendUDP(l.App.NS, c.to, 1, 100); err != nil {
						t.Error(err)
					}
				}
			})
			udp := 0
			for i := range records {
				leg := j.judgeFrame(t, records[i].frame, records[i].Packet)
				want := istiofilter.Direct
				switch records[i].Proto {
				case flow.ProtoUDP:
					want = c.udp
					udp++
				case flow.ProtoICMP:
					want = c.icmp
				}
				if leg != want {
					t.Errorf("%+v is on %v, want %v", records[i].Packet, leg, want)
				}
			}
			if udp != sent {
				t.Errorf("captured %d datagrams of %d", udp, sent)
			}
		})
	}
}
