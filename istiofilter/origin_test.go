package istiofilter_test

import (
	"net/netip"
	"slices"
	"testing"

	"icap/istiofilter"
)

// TestOrigins has calls within a pod whose proxy keeps the client's address:
// all look the same but for their marks.
func TestOrigins(t *testing.T) {
	both(t, tproxy(), map[string]script{
		"self by address": `
			lo- POD:50000 > POD:8080 S = self
			lo- POD:8080 > POD:50000 SA = self
			lo- POD:50000 > POD:8080 F = self`,
		"self by service": `
			lo- POD:50000 > LO:15001 S = outbound-app
			lo* VIP:80 > POD:50000 SA = outbound-app
			lo* POD:50001 > POD:8080 S = self-wire
			lo* POD:8080 > POD:50001 SA = self-wire
			lo+ POD:50002 > POD:8080 S = inbound-app
			lo+ POD:8080 > POD:50002 SA = inbound-app
			lo+ POD:50002 > POD:8080 A = inbound-app
			lo* POD:50001 > POD:8080 A = self-wire`,
		"what the kernel sends for closed sockets has no mark": `
			lo* POD:50001 > POD:8080 S = self-wire
			lo- POD:8080 > POD:50001 R = self-wire
			lo+ POD:50002 > POD:8080 S = inbound-app
			lo- POD:50002 > POD:8080 A = inbound-app`,
		"older than the capture": `
			lo- POD:8080 > POD:50001 A = self
			lo* POD:50001 > POD:8080 A = self-wire
			lo- POD:8080 > POD:50001 A = self-wire
			lo+ POD:8080 > POD:50002 A = inbound-app`,
		"reuse of a port": `
			lo* POD:50001 > POD:8080 S = self-wire
			lo- POD:50001 > POD:8080 S = self
			lo- POD:8080 > POD:50001 SA = self
			lo+ POD:50001 > POD:8080 S = inbound-app`,
		"the proxy's own ports": `
			lo* POD:50001 > POD:15020 S = admin
			lo- POD:15020 > POD:50001 SA = admin
			lo- POD:50001 > POD:15021 A = admin`,
		"probes of the agent": `
			lo* PROXY:50001 > POD:8080 S = inbound-app
			lo- POD:8080 > PROXY:50001 SA = inbound-app`,
	})
}

// TestOriginsApart says when packets have to be captured by their marks, and
// that every mark belongs to one origin.
func TestOriginsApart(t *testing.T) {
	p := tproxy()
	lo, eth0 := p.Interfaces[0], p.Interfaces[1]
	for _, c := range []struct {
		pod  *istiofilter.Pod
		on   istiofilter.Interface
		legs istiofilter.Legs
		want int
	}{
		{p, lo, istiofilter.AllLegs, 3},
		{p, lo, istiofilter.Set(istiofilter.Self), 3},
		{p, lo, istiofilter.Set(istiofilter.OutboundApp), 0},
		{p, eth0, istiofilter.AllLegs, 0},
		{sidecar(), lo, istiofilter.AllLegs, 0},
		{changed(func(p *istiofilter.Pod) { *p = *tproxy(); p.SelfMarks = nil }), lo, istiofilter.AllLegs, 2},
	} {
		if got := c.pod.Origins(c.on, c.legs); len(got) != c.want {
			t.Errorf("%s, %v: origins are %v", c.on.Name, c.legs, got)
		}
	}
	for _, mark := range []uint32{0, 1, 1337, 1338} {
		n := 0
		for _, o := range p.Origins(lo, istiofilter.AllLegs) {
			marks, not := p.Marks(o)
			has := func(m istiofilter.Mark) bool { return mark&m.Mask == m.Value }
			if (len(marks) == 0 || slices.ContainsFunc(marks, has)) && !slices.ContainsFunc(not, has) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("mark %d is of %d origins", mark, n)
		}
	}
}

// TestKnown has connections that are older than the capture and that the
// kernel still knows.
func TestKnown(t *testing.T) {
	at := netip.MustParseAddrPort
	conns := []istiofilter.Conn{
		{Src: at("10.244.0.11:8081"), Dst: at("10.244.0.12:443"), ReplySrc: at("10.244.0.12:443")},
		{Src: at("10.244.0.12:7001"), Dst: at("10.244.0.11:50000"), ReplySrc: at("10.244.0.11:15006")},
		{Src: at("10.244.0.11:50001"), Dst: at("10.244.0.11:8080"), ReplySrc: at("127.0.0.1:15006")},
		{Src: at("10.244.0.11:50002"), Dst: at("10.96.0.10:53"), ReplySrc: at("127.0.0.1:15053")},
		{Src: at("1.1.1.1:1"), Dst: at("2.2.2.2:2"), ReplySrc: at("2.2.2.2:2")},
	}
	pod := withDNS()
	c := istiofilter.NewClassifier(pod)
	c.Know(conns)
	script(`
		out POD:8081 > PEER:443 A = outbound-wire
		in PEER:7001 > POD:50000 A = inbound-wire
		lo POD:8080 > POD:50001 A = self-wire
		lo VIP:53 > POD:50002 A = dns-app
		lo VIP:53 > POD:50003 A = outbound-app
		lo POD:8080 > POD:50004 A = self
		in 1.1.1.1:1 > 2.2.2.2:2 A = direct`).runOn(t, c, addrs4)

	c = istiofilter.NewClassifier(tproxy())
	c.Know([]istiofilter.Conn{
		{Src: at("10.244.0.11:8081"), Dst: at("10.96.0.10:80"), ReplySrc: at("127.0.0.1:15001")},
		{Src: at("10.244.0.12:7001"), Dst: at("10.244.0.11:50000"), ReplySrc: at("10.244.0.11:50000"), Mark: 1337},
		{Src: at("10.244.0.11:50002"), Dst: at("10.244.0.11:8080"), ReplySrc: at("10.244.0.11:8080"), Mark: 1337},
	})
	script(`
		lo* VIP:80 > POD:8081 A = outbound-app
		lo+ PEER:7001 > POD:50000 A = inbound-app
		lo- POD:8080 > POD:50002 A = inbound-app`).runOn(t, c, addrs4)
}
