package istiofilter_test

import (
	"testing"

	"icap/istiofilter"
)

// TestGateway has a gateway, captured where it runs.
func TestGateway(t *testing.T) {
	both(t, gateway(), map[string]script{
		"downstream": `
			in PEER:50000 > POD:8443 S = gateway-downstream
			out POD:8443 > PEER:50000 SA = gateway-downstream
			in PEER:50000 > POD:9999 S = gateway-downstream
			out POD:9999 > PEER:50000 R = gateway-downstream`,
		"upstream": `
			out POD:50000 > PEER:8080 S = gateway-upstream
			in PEER:8080 > POD:50000 SA = gateway-upstream
			out POD:50001 > PEER:15008 S = gateway-upstream`,
		"older than the capture": `
			in PEER:50000 > POD:8443 A = gateway-downstream
			in PEER:8443 > POD:50000 A = gateway-upstream`,
		"of its own": `
			in PEER:50000 > POD:15021 S = admin
			out POD:50002 > PEER:15012 S = direct
			out POD:50003 > PEER:53 udp = dns-wire
			out POD:50003 > PEER:53 S = dns-wire
			lo LO:50000 > LO:15000 S = admin
			in PEER:0 > POD:0 icmp = direct`,
	})
}

// TestGatewayOnBridge sees both ways of a gateway's packets as they come in,
// and what does not concern it.
func TestGatewayOnBridge(t *testing.T) {
	p := gateway()
	p.Interfaces = []istiofilter.Interface{{Name: "br0", Addrs: p.Interfaces[1].Addrs}}
	both(t, p, map[string]script{"": `
		in PEER:50000 > POD:8443 S = gateway-downstream
		in POD:8443 > PEER:50000 SA = gateway-downstream
		in POD:50000 > PEER:8080 S = gateway-upstream
		in PEER:8080 > POD:50000 SA = gateway-upstream
		out PEER:8080 > POD:50000 A = gateway-upstream
		in PEER:50000 > VIP:8080 S = direct`})
}

// TestGatewayListenersUnknown has connections that are older than the capture
// and no listeners to tell them by.
func TestGatewayListenersUnknown(t *testing.T) {
	p := gatewayOnBridge()
	p.Interfaces = interfaces("10.244.0.11", "fd00::b")[1:]
	script(`
		in 203.0.113.7:50000 > POD:8443 A = gateway-downstream
		in POD:50000 > PEER:8080 A = gateway-upstream
		in PEER:50000 > POD:8443 S = gateway-downstream
		in PEER:50000 > POD:8443 A = gateway-downstream`).run(t, p, addrs4)
}

// TestGatewayByNetwork knows nothing but the networks of pods and services.
func TestGatewayByNetwork(t *testing.T) {
	script(`
		in 203.0.113.7:50000 > POD:8443 S = gateway-downstream
		in POD:8443 > 203.0.113.7:50000 SA = gateway-downstream
		in POD:50000 > PEER:8080 S = gateway-upstream
		in VIP:8080 > POD:50000 SA = gateway-upstream
		in PEER:0 > POD:0 icmp = direct`).run(t, gatewayOnBridge(), addrs4)
	p := gatewayOnBridge()
	p.Admin, p.Control = []uint16{15021}, []uint16{15012}
	script(`
		in POD:50000 > PEER:15012 S = direct
		in PEER:15012 > POD:50000 SA = direct
		in 203.0.113.7:50000 > POD:15021 S = admin
		in POD:15021 > 203.0.113.7:50000 SA = admin`).run(t, p, addrs4)
}

// TestGatewayShared has a gateway in the network of its node.
func TestGatewayShared(t *testing.T) {
	p := gateway()
	p.Shared, p.Listening, p.Admin, p.LocalAdmin = true, []uint16{8443}, []uint16{15021}, nil
	p.Cluster = gatewayOnBridge().Cluster
	both(t, p, map[string]script{"": `
		in PEER:50000 > POD:8443 S = gateway-downstream
		out POD:8443 > PEER:50000 SA = gateway-downstream
		in PEER:50000 > POD:22 S = direct
		out POD:22 > PEER:50000 SA = direct
		in PEER:50000 > POD:15021 S = admin
		out POD:50002 > PEER:15012 S = direct
		in PEER:50001 > POD:22 A = direct
		in PEER:50001 > POD:8443 A = gateway-downstream`})
	for opener, want := range map[istiofilter.Opener]istiofilter.Leg{
		istiofilter.OpenerUnknown: istiofilter.GatewayUpstream, // as PEER is in the cluster
		istiofilter.OpenerApp:     istiofilter.Direct,
		istiofilter.OpenerProxy:   istiofilter.GatewayUpstream,
	} {
		c := istiofilter.NewClassifier(p)
		packets, _ := script(`
			out POD:50000 > PEER:8080 S = direct
			in PEER:8080 > POD:50000 SA = direct
			out POD:50001 > 203.0.113.7:443 S = direct`).packets(t, addrs4)
		for i, want := range []istiofilter.Leg{want, want, map[bool]istiofilter.Leg{true: istiofilter.GatewayUpstream, false: istiofilter.Direct}[opener == istiofilter.OpenerProxy]} {
			seen := packets[i].seen()
			seen.Opener = opener
			if got := c.Leg(&seen); got != want {
				t.Errorf("opened by %d, packet %d: %v, want %v", opener, i, got, want)
			}
		}
	}
}
