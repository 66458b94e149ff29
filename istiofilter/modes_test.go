package istiofilter_test

import (
	"testing"

	"icap/istiofilter"
)

// TestNoProxy has a pod that nothing is redirected in.
func TestNoProxy(t *testing.T) {
	both(t, plainPod(), map[string]script{
		"wire": `
			in PEER:50000 > POD:8080 S = direct
			out POD:8080 > PEER:50000 SA = direct
			out POD:50000 > PEER:80 S = direct
			in PEER:80 > POD:50000 A = direct
			in PEER:50000 > POD:15021 S = direct`,
		"ambient": `
			in PEER:50000 > POD:15008 S = hbone
			out POD:15008 > PEER:50000 SA = hbone`,
		"lo": `
			lo LO:50000 > LO:8080 S = self
			lo POD:50000 > POD:8080 S = self
			lo POD:8080 > POD:50000 SA = self
			lo PROXY:50000 > POD:8080 S = self
			lo POD:50000 > LO:15001 S = self
			lo VIP:80 > POD:50000 A = direct`,
		"DNS": `
			out POD:50000 > PEER:53 udp = dns-wire
			out POD:50000 > PEER:53 S = dns-wire
			in PEER:50000 > POD:53 udp = direct
			in PEER:50000 > POD:53 S = direct`,
	})
}

// TestEnvoyAlone has Envoy without rules.
func TestEnvoyAlone(t *testing.T) {
	gateway := plainPod()
	gateway.Admin = []uint16{15000, 15021}
	both(t, gateway, map[string]script{"": `
		in PEER:50000 > POD:8080 S = direct
		in PEER:50000 > POD:15021 S = admin
		lo LO:50000 > LO:15000 S = admin`})
}

// TestIPv4Only has rules that IPv6 goes past.
func TestIPv4Only(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) { p.IPv4Only = true })
	script(`
		in PEER:50000 > POD:8080 S = inbound-wire
		out POD:50000 > PEER:8080 S = outbound-wire`).run(t, p, addrs4)
	script(`
		in PEER:50000 > POD:8080 S = direct
		out POD:50000 > PEER:8080 S = direct
		in PEER:50000 > POD:15021 S = admin
		lo PROXY:50000 > POD:8080 S = self
		lo POD:50000 > LO:15001 S = self
		lo VIP:80 > POD:50000 A = direct`).run(t, p, addrs6)
}

// TestCaptured has rules for some of the inbound ports.
func TestCaptured(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) {
		p.InboundRules = []istiofilter.Rule{{Ports: []uint16{7000}}, {Redirect: true, Ports: []uint16{8080, 7000}}}
	})
	both(t, p, map[string]script{"": `
		in PEER:50000 > POD:8080 S = inbound-wire
		in PEER:50000 > POD:7000 S = direct
		in PEER:50000 > POD:40000 S = direct
		in PEER:50000 > POD:15000 S = admin
		in PEER:50001 > POD:40000 A = direct`})
}

// TestInboundAlone has rules that leave outbound connections alone.
func TestInboundAlone(t *testing.T) {
	both(t, changed(func(p *istiofilter.Pod) { p.Outbound = 0 }), map[string]script{"": `
		in PEER:50000 > POD:8080 S = inbound-wire
		lo PROXY:50000 > POD:8080 S = inbound-app
		out POD:50000 > PEER:8080 S = direct
		lo VIP:80 > POD:50000 A = direct`})
}

// TestTransparent has a proxy that connects to the app in its client's name.
func TestTransparent(t *testing.T) {
	both(t, changed(func(p *istiofilter.Pod) { p.Transparent = true }), map[string]script{
		"inbound": `
			in PEER:50000 > POD:8080 S = inbound-wire
			lo PEER:50001 > POD:8080 S = inbound-app
			lo POD:8080 > PEER:50001 SA = inbound-app
			lo PEER:50001 > POD:8080 A = inbound-app`,
		"outbound": `
			lo POD:50000 > LO:15001 S = outbound-app
			lo VIP:80 > POD:50000 SA = outbound-app
			lo VIP:80 > POD:50000 A = outbound-app
			lo POD:50000 > LO:15001 A = outbound-app`,
		"older than the capture": `
			lo PEER:50001 > POD:40000 A = inbound-app
			lo VIP:80 > POD:50000 A = outbound-app`,
		"inbound to a port that nobody listens on": `
			lo PEER:50001 > POD:50005 S = inbound-app
			lo PEER:50001 > POD:50005 A = inbound-app`,
		"probes of the agent": `
			lo PROXY:50001 > POD:8080 S = inbound-app
			lo POD:8080 > PROXY:50001 SA = inbound-app`,
	})
}

// TestOtherForms has addresses that look like others.
func TestOtherForms(t *testing.T) {
	script(`
		lo [::ffff:127.0.0.6]:5 > [fd00::b]:8080 S = outbound-app
		lo [fd00::b]:5 > [::ffff:127.0.0.1]:15001 S = direct
		in [fd00::c]:5 > [::ffff:10.244.0.11]:8080 S = direct
		in [fe80::c]:5 > [fe80::b]:8080 S = inbound-wire
		in [fe80::c]:0 > [ff02::1]:0 icmp = direct
		lo [fe80::b]:5 > [fe80::b]:8080 S = self
		lo 127.0.0.2:5 > 127.0.0.3:8080 S = self
		lo 10.244.0.11:5 > 127.0.0.2:15001 S = self`).run(t, sidecar(), nil)
}

// TestAddressForms has interfaces whose addresses are given in other forms.
func TestAddressForms(t *testing.T) {
	p := changed(func(p *istiofilter.Pod) { p.Interfaces = interfaces("::ffff:10.244.0.11", "fe80::b%eth0") })
	script(`
		in 10.244.0.12:5 > 10.244.0.11:8080 S = inbound-wire
		in [fe80::c]:5 > [fe80::b]:8080 S = inbound-wire`).run(t, p, nil)
}
