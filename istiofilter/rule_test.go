package istiofilter_test

import (
	"net/netip"
	"testing"

	"icap/istiofilter"
)

// TestRules has rules that redirect some connections and not others.
func TestRules(t *testing.T) {
	nets := func(s ...string) (all []netip.Prefix) {
		for _, n := range s {
			all = append(all, netip.MustParsePrefix(n))
		}
		return all
	}
	p := changed(func(p *istiofilter.Pod) {
		p.Interfaces = append(p.Interfaces, istiofilter.Interface{
			Name: "net1", Addrs: []netip.Addr{netip.MustParseAddr("192.168.7.2")},
		})
		p.Control = []uint16{15012}
		p.InboundRules = []istiofilter.Rule{
			{Links: []string{"net+"}},
			{Version: 4, Peer: nets("169.254.7.127/32")},
			{Redirect: true, NotPorts: []uint16{22}, NotOwn: nets("127.0.0.1/32", "::1/128")},
		}
		p.OutboundRules = []istiofilter.Rule{
			{Ports: []uint16{3306}},
			{Version: 4, NotLinks: []string{"eth0", "lo"}},
			{Peer: nets("10.32.0.0/11"), NotPeer: nets("10.40.0.0/16")},
			{Redirect: true, Version: 4, Own: nets("10.0.0.0/8", "10.244.0.0/16")},
		}
	})
	script(`
		in@eth0 PEER:50000 > POD:8080 S = inbound-wire
		in@eth0 PEER:50000 > POD:22 S = direct
		in@eth0 169.254.7.127:50000 > POD:8080 S = direct
		in@net1 192.168.7.3:50000 > 192.168.7.2:8080 S = direct
		out@eth0 POD:50000 > PEER:80 S = outbound-wire
		out@eth0 POD:50001 > PEER:3306 S = direct
		in@eth0 PEER:3306 > POD:50001 SA = direct
		out@eth0 POD:50002 > 10.33.0.1:80 S = direct
		out@eth0 POD:50003 > 10.40.0.1:80 S = outbound-wire
		out@eth0 POD:50004 > PEER:15012 S = direct
		in@eth0 PEER:15012 > POD:50004 SA = direct
		out@net1 192.168.7.2:50005 > 192.168.7.3:80 S = direct
		in@eth0 PEER:3306 > POD:50006 A = direct
		in@eth0 PEER:3307 > POD:50006 A = outbound-wire`).run(t, p, addrs4)
	script(`
		in@eth0 PEER:50000 > POD:8080 S = inbound-wire
		out@eth0 POD:50000 > PEER:80 S = direct`).run(t, p, addrs6)
}

// TestSparedByAddress has the proxy connect to where the rules let the app go
// by itself, as where they take the addresses of services alone.
func TestSparedByAddress(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) {
		p.OutboundRules = []istiofilter.Rule{
			{Ports: []uint16{3306}},
			{Redirect: true, Peer: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12")}},
		}
	})
	c := istiofilter.NewClassifier(p)
	const ms = 1e6
	for i, step := range []struct {
		at   int64
		line script
	}{
		{0, `out POD:50000 > PEER:8080 S = direct`},
		{1000 * ms, `out POD:50001 > PEER:8080 S = direct`},
		{1001 * ms, `lo POD:50002 > LO:15001 S = outbound-app`},
		{1002 * ms, `out POD:50003 > PEER:8080 S = outbound-wire`},
		{1002 * ms, `out POD:50004 > PEER:3306 S = direct`},
		{1002 * ms, `in PEER:8080 > POD:50003 SA = outbound-wire`},
		{1003 * ms, `out POD:50004 > PEER:8080 S = direct`},
		{1004 * ms, `lo POD:50002 > LO:15001 S = outbound-app`},
		{1100 * ms, `out POD:50005 > PEER:8080 S = direct`},
		// A call that is over before the proxy has called on.
		{1200 * ms, `lo POD:50006 > LO:15001 S = outbound-app`},
		{1200 * ms, `lo 10.96.0.10:80 > POD:50006 SA = outbound-app`},
		{1201 * ms, `lo 10.96.0.10:80 > POD:50006 R = outbound-app`},
		{1202 * ms, `out POD:50007 > PEER:8080 S = direct`},
		{1203 * ms, `lo POD:50008 > LO:15001 S = outbound-app`},
		{1203 * ms, `lo POD:50008 > LO:15001 R = outbound-app`},
		{1204 * ms, `out POD:50009 > PEER:8080 S = direct`},
		// The app has said all, and waits for the answer.
		{1205 * ms, `lo POD:50010 > LO:15001 S = outbound-app`},
		{1205 * ms, `lo POD:50010 > LO:15001 F = outbound-app`},
		{1206 * ms, `out POD:50011 > PEER:8080 S = outbound-wire`},
		{1207 * ms, `lo POD:50012 > LO:15001 S = outbound-app`},
		{1207 * ms, `lo 10.96.0.10:80 > POD:50006 F = outbound-app`},
		{1208 * ms, `out POD:50013 > PEER:8080 S = outbound-wire`},
	} {
		packets, want := step.line.packets(t, addrs4)
		seen := packets[0].seen()
		seen.Time = step.at
		if got := c.Leg(&seen); got != want[0] {
			t.Errorf("%d: %s: got %v", i, step.line, got)
		}
	}
}

// TestOpeners has connections that the rules leave alone, and knows who opened
// them.
func TestOpeners(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) {
		p.OutboundRules = []istiofilter.Rule{
			{Links: []string{"lo"}}, {Peer: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
			{Ports: []uint16{3306}}, {Redirect: true},
		}
	})
	if !p.Spares() {
		t.Error("rules with a port left alone spare nothing")
	}
	if p := sidecar(); p.Spares() {
		t.Error("rules that are not known spare something")
	}
	c := istiofilter.NewClassifier(p)
	for i, want := range map[istiofilter.Opener]istiofilter.Leg{
		istiofilter.OpenerUnknown: istiofilter.Direct,
		istiofilter.OpenerApp:     istiofilter.Direct,
		istiofilter.OpenerProxy:   istiofilter.OutboundWire,
	} {
		packets, _ := script(`out POD:50000 > PEER:3306 S = direct`).packets(t, addrs4)
		seen := packets[0].seen()
		seen.Opener = i
		if got := c.Leg(&seen); got != want {
			t.Errorf("opened by %d: %v", i, got)
		}
		at := netip.MustParseAddrPort
		c.Know([]istiofilter.Conn{{Src: at("10.244.0.11:1"), Dst: at("10.244.0.12:3306"), ReplySrc: at("10.244.0.12:3306"), Opener: i}})
		older, _ := script(`out POD:1 > PEER:3306 A = direct`).packets(t, addrs4)
		seen = older[0].seen()
		if got := c.Leg(&seen); got != want {
			t.Errorf("older, opened by %d: %v", i, got)
		}
	}
	p.OutboundRules = append(p.OutboundRules[:2], istiofilter.Rule{Redirect: true, Version: 4})
	if p.Spares() {
		t.Error("the usual rules spare something")
	}
}

// TestControl has connections to a port of the control plane that others use as
// well, and knows who opened them.
func TestControl(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) { p.Control = []uint16{443} })
	at := netip.MustParseAddrPort
	for opener, want := range map[istiofilter.Opener]istiofilter.Leg{
		istiofilter.OpenerUnknown: istiofilter.Direct,
		istiofilter.OpenerApp:     istiofilter.Direct,
		istiofilter.OpenerProxy:   istiofilter.OutboundWire,
		istiofilter.OpenerAgent:   istiofilter.Direct,
	} {
		c := istiofilter.NewClassifier(p)
		packets, _ := script(`
			out POD:50000 > PEER:443 S = direct
			out POD:50000 > PEER:443 A = direct`).packets(t, addrs4)
		for i := range packets {
			seen := packets[i].seen()
			if i == 0 {
				seen.Opener = opener
			}
			if got := c.Leg(&seen); got != want {
				t.Errorf("opened by %d, packet %d: %v, want %v", opener, i, got, want)
			}
		}
		c.Know([]istiofilter.Conn{{Src: at("10.244.0.11:1"), Dst: at("10.244.0.12:443"), ReplySrc: at("10.244.0.12:443"), Opener: opener}})
		older, _ := script(`in PEER:443 > POD:1 A = direct`).packets(t, addrs4)
		seen := older[0].seen()
		if got := c.Leg(&seen); got != want {
			t.Errorf("older, opened by %d: %v, want %v", opener, got, want)
		}
	}
	// What the agent calls elsewhere is no call of the app either.
	c := istiofilter.NewClassifier(p)
	packets, _ := script(`out POD:50002 > PEER:80 S = direct`).packets(t, addrs4)
	seen := packets[0].seen()
	seen.Opener = istiofilter.OpenerAgent
	if got := c.Leg(&seen); got != istiofilter.Direct {
		t.Errorf("the agent's call: %v", got)
	}
}
