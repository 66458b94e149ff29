package lab_test

import (
	"net/netip"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// agentSource is where the agent of a sidecar calls the application from.
var agentSource = netip.MustParseAddr("127.0.0.6")

// TestConnectionMarks looks up the marks of all connections in conntrack:
// which legs they are on is what tools may go by.
func TestConnectionMarks(t *testing.T) {
	const sidecar, ztunnel = 0x539, 0x111
	for name, c := range map[string]struct {
		config lab.Config
		mark   uint32
		legs   map[string]bool
	}{
		"tproxy":        {lab.Config{Rules: lab.TProxy}, sidecar, map[string]bool{lab.LegInboundApp: true}},
		"native-tproxy": {lab.Config{Rules: lab.NativeTProxy}, sidecar, map[string]bool{lab.LegInboundApp: true}},
		// What ztunnel answers on lo is marked as well.
		"ambient": {lab.Config{Rules: lab.Ambient}, ztunnel, map[string]bool{
			lab.LegInboundApp: true, lab.LegOutboundApp: true, lab.LegSelfWire: true,
		}},
		"ambient, bare listeners": {lab.Config{Rules: lab.Ambient, BareListeners: true}, ztunnel, map[string]bool{
			lab.LegInboundApp: true, lab.LegSelfWire: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := labtest.New(t, c.config)
			for _, k := range l.Cases() {
				if _, err := l.Run(t.Context(), k, nil); err != nil {
					t.Error(err)
				}
			}
			marks := map[[2]netip.AddrPort]uint32{}
			for _, f := range flows(t, l.App) {
				marks[[2]netip.AddrPort{
					addrPort(f.Forward.SrcIP, f.Forward.SrcPort), addrPort(f.Forward.DstIP, f.Forward.DstPort),
				}] = f.Mark
			}
			all, err := l.Flows(t.Context(), l.App)
			if err != nil {
				t.Fatal(err)
			}
			met := 0
			for _, f := range all {
				if f.Client == nil {
					continue
				}
				got, ok := marks[[2]netip.AddrPort{f.Client.Local, f.Client.Remote}]
				want := uint32(0)
				// The agent's probes bear neither the client's address
				// nor a mark.
				if c.legs[f.Leg] && f.Client.Local.Addr() != agentSource {
					want = c.mark
				}
				if ok && got != want {
					t.Errorf("%s on %s has mark %#x, want %#x: %+v", f.Leg, f.Interface, got, want, f.Client)
				}
				if ok && got != 0 {
					met++
				}
			}
			if met < len(c.legs) {
				t.Errorf("%d connections with a mark", met)
			}
		})
	}
}
