package istiofilter_test

import (
	"testing"

	"icap/istiofilter"
)

// TestSidecar has what a packet socket sees of each kind of traffic in a pod
// whose rules redirect to a sidecar.
func TestSidecar(t *testing.T) {
	both(t, sidecar(), map[string]script{
		"inbound": `
			in PEER:50000 > POD:8080 S = inbound-wire
			out POD:8080 > PEER:50000 SA = inbound-wire
			in PEER:50000 > POD:8080 A = inbound-wire
			lo PROXY:50001 > POD:8080 S = inbound-app
			lo POD:8080 > PROXY:50001 SA = inbound-app
			lo PROXY:50001 > POD:8080 A = inbound-app
			lo POD:8080 > PROXY:50001 R = inbound-app
			out POD:8080 > PEER:50000 F = inbound-wire
			in PEER:50000 > POD:8080 R = inbound-wire`,
		"inbound to a port that nobody listens on": `
			in PEER:50000 > POD:9 S = inbound-wire
			out POD:9 > PEER:50000 SA = inbound-wire
			lo PROXY:50001 > POD:9 S = inbound-app
			lo POD:9 > PROXY:50001 R = inbound-app`,
		"inbound to the proxy's own listener": `
			in PEER:50000 > POD:15006 S = inbound-wire
			out POD:15006 > PEER:50000 F = inbound-wire`,
		"outbound": `
			lo POD:50000 > LO:15001 S = outbound-app
			lo VIP:80 > POD:50000 SA = outbound-app
			out POD:50002 > PEER:8080 S = outbound-wire
			in PEER:8080 > POD:50002 SA = outbound-wire
			lo POD:50000 > LO:15001 A = outbound-app
			lo VIP:80 > POD:50000 R = outbound-app
			out POD:50002 > PEER:8080 F = outbound-wire`,
		"outbound to a port that the app has, too": `
			lo POD:50000 > LO:15001 S = outbound-app
			lo PEER:8080 > POD:50000 SA = outbound-app
			out POD:50000 > PEER:8080 S = outbound-wire
			in PEER:8080 > POD:50000 SA = outbound-wire`,
		"self by address": `
			lo POD:50000 > POD:8080 S = self
			lo POD:8080 > POD:50000 SA = self
			lo POD:50000 > POD:8080 A = self
			lo POD:8080 > POD:50000 F = self`,
		"self by service": `
			lo POD:50000 > LO:15001 S = outbound-app
			lo VIP:80 > POD:50000 SA = outbound-app
			lo POD:50002 > LO:15006 S = self-wire
			lo POD:8080 > POD:50002 SA = self-wire
			lo POD:50002 > LO:15006 A = self-wire
			lo PROXY:50003 > POD:8080 S = inbound-app
			lo POD:8080 > PROXY:50003 SA = inbound-app
			lo POD:8080 > POD:50002 A = self-wire
			lo VIP:80 > POD:50000 A = outbound-app`,
		"self by service, older than the capture": `
			lo POD:50002 > LO:15006 A = self-wire
			lo POD:8080 > POD:50002 A = self-wire`,
		"self by tunnel": `
			lo POD:50002 > POD:15008 S = self-wire
			lo POD:15008 > POD:50002 SA = self-wire`,
		"localhost": `
			lo LO:50000 > LO:8080 S = self
			lo LO:8080 > LO:50000 SA = self
			lo LO:50000 > POD:8080 S = self
			lo POD:50000 > LO:8080 S = self
			lo LO:8080 > POD:50000 SA = self`,
		"admin": `
			lo LO:50000 > LO:15000 S = admin
			lo LO:15000 > LO:50000 SA = admin
			lo LO:50000 > LO:15004 A = admin
			lo POD:50000 > POD:15020 S = admin
			lo POD:15020 > POD:50000 SA = admin
			in PEER:50000 > POD:15020 S = admin
			out POD:15020 > PEER:50000 SA = admin
			in PEER:50000 > POD:15021 A = admin
			out POD:15090 > PEER:50000 A = admin`,
		"admin port that the rules do not leave alone": `
			in PEER:50000 > POD:15000 S = inbound-wire
			lo PROXY:50001 > POD:15000 S = inbound-app
			lo POD:15000 > PROXY:50001 R = inbound-app`,
		"admin ports of a peer": `
			out POD:50000 > PEER:15021 S = outbound-wire
			in PEER:15021 > POD:50000 SA = outbound-wire`,
		"uncaptured": `
			in PEER:50000 > POD:7000 S = direct
			out POD:7000 > PEER:50000 SA = direct`,
		"tunnel": `
			in PEER:50000 > POD:15008 S = hbone
			out POD:15008 > PEER:50000 SA = hbone
			out POD:50000 > PEER:15008 S = hbone
			in PEER:15008 > POD:50000 A = hbone`,
		"DNS": `
			out POD:50000 > PEER:53 udp = dns-wire
			in PEER:53 > POD:50000 udp = dns-wire
			lo POD:50000 > LO:15001 S = outbound-app
			lo PEER:53 > POD:50000 SA = outbound-app
			out POD:50001 > PEER:53 S = dns-wire
			in PEER:53 > POD:50001 SA = dns-wire
			lo LO:50000 > LO:53 udp = self`,
		"other protocols": `
			in PEER:0 > POD:0 arp = direct
			lo POD:0 > POD:0 arp = direct
			in PEER:0 > POD:0 icmp = direct
			lo POD:0 > POD:0 icmp = self
			lo LO:0 > LO:0 icmp = self
			lo VIP:0 > POD:0 icmp = direct
			in PEER:15006 > POD:8080 sctp = direct
			out POD:50000 > PEER:9 udp = direct
			lo POD:50000 > POD:9 udp = self
			lo POD:50000 > LO:15001 udp = self
			lo POD:50000 > LO:15006 sctp = self
			lo VIP:53 > POD:50000 udp = direct
			lo PROXY:5 > POD:6 udp = self`,
		"fragments": `
			in PEER:0 > POD:0 frag = direct
			in PEER:0 > POD:0 udpfrag = direct
			lo PROXY:0 > POD:0 frag = inbound-app
			lo VIP:0 > POD:0 frag = outbound-app
			lo POD:0 > LO:0 frag = self
			lo POD:0 > POD:0 frag = self`,
		"addresses of others": `
			in PEER:50000 > VIP:8080 S = direct
			out PEER:50000 > VIP:8080 S = direct
			in PEER:5353 > ALL:5353 udp = direct
			out POD:5353 > ALL:5353 udp = direct
			in PEER:53 > VIP:50000 udp = direct
			lo POD:5353 > ALL:5353 udp = direct
			lo LO:5353 > ALL:5353 udp = direct
			lo POD:50000 > VIP:80 S = direct
			lo PEER:50000 > VIP:80 S = direct`,
		"reuse of a port": `
			out POD:50000 > PEER:8080 S = outbound-wire
			in PEER:8080 > POD:50000 SA = outbound-wire
			in PEER:8080 > POD:50000 S = inbound-wire
			out POD:50000 > PEER:8080 SA = inbound-wire
			in PEER:8080 > POD:50000 A = inbound-wire
			lo POD:50002 > LO:15006 S = self-wire
			lo POD:8080 > POD:50002 SA = self-wire
			lo POD:50002 > POD:8080 S = self
			lo POD:8080 > POD:50002 SA = self
			lo POD:8080 > POD:50002 A = self
			lo POD:50002 > LO:15006 S = self-wire
			lo POD:8080 > POD:50002 SA = self-wire
			lo POD:8080 > POD:50002 A = self-wire`,
		"app and proxy share a local port": `
			lo POD:50002 > LO:15006 S = self-wire
			lo POD:8080 > POD:50002 SA = self-wire
			lo POD:50002 > POD:40000 S = self
			lo POD:40000 > POD:50002 SA = self
			lo POD:50002 > LO:15006 A = self-wire
			lo POD:8080 > POD:50002 A = self-wire
			lo POD:40000 > POD:50002 A = self
			lo POD:50002 > POD:40000 A = self`,
		"app and proxy share a local port while one of them sends": `
			lo POD:50002 > LO:15006 S = self-wire
			lo POD:8080 > POD:50002 SA = self-wire
			lo POD:50002 > POD:40000 S = self
			lo POD:50002 > LO:15006 A = self-wire
			lo POD:40000 > POD:50002 SA = self
			lo POD:40000 > POD:50002 A = self
			lo POD:8080 > POD:50002 A = self-wire`,
	})
}

// TestOlderThanCapture has connections whose SYN was not seen.
func TestOlderThanCapture(t *testing.T) {
	low := changed(func(p *istiofilter.Pod) {
		p.FirstEphemeral, p.LastEphemeral = 10000, 14000
		p.Listening = []uint16{8080, 12000}
	})
	wide := changed(func(p *istiofilter.Pod) { p.FirstEphemeral = 1024 })
	unknown := changed(func(p *istiofilter.Pod) { p.FirstEphemeral, p.LastEphemeral = 0, 0 })
	for _, test := range []struct {
		pod     *istiofilter.Pod
		scripts map[string]script
	}{
		{sidecar(), map[string]script{
			"app port in the ephemeral range": `
				in PEER:50000 > POD:40000 A = inbound-wire
				out POD:40000 > PEER:50000 A = inbound-wire`,
			"outbound": `
				in PEER:40000 > POD:50000 A = outbound-wire
				out POD:50000 > PEER:40000 A = outbound-wire`,
			"answers to a SYN that was missed": `
				in PEER:40000 > POD:50000 SA = outbound-wire
				out POD:50001 > PEER:40000 SA = inbound-wire`,
			"ports that are closed by now": `
				in PEER:50000 > POD:9999 A = inbound-wire
				in PEER:50000 > POD:61000 A = inbound-wire`,
		}},
		{low, map[string]script{
			"inbound in a low range": `
				in PEER:50000 > POD:12000 A = inbound-wire
				out POD:8080 > PEER:12001 A = inbound-wire`,
			"outbound in a low range": `
				out POD:10000 > PEER:8080 A = outbound-wire
				in PEER:8080 > POD:14000 A = outbound-wire
				lo PEER:8080 > POD:10000 A = outbound-app
				lo POD:14000 > LO:15001 A = outbound-app`,
		}},
		{wide, map[string]script{
			"admin port in the ephemeral range": `
				in PEER:50000 > POD:15021 A = admin`,
		}},
		{unknown, map[string]script{
			"range not known": `
				in PEER:50000 > POD:8080 A = inbound-wire
				in PEER:8080 > POD:1025 A = outbound-wire`,
		}},
	} {
		both(t, test.pod, test.scripts)
	}
}

// TestDNS has rules that redirect queries.
func TestDNS(t *testing.T) {
	both(t, withDNS(), map[string]script{
		"UDP": `
			lo POD:50000 > LO:15053 udp = dns-app
			lo VIP:53 > POD:50000 udp = dns-app
			out POD:50001 > PEER:53 udp = dns-wire
			in PEER:53 > POD:50001 udp = dns-wire
			lo POD:50000 > LO:15053 sctp = self`,
		"TCP": `
			lo POD:50000 > LO:15053 S = dns-app
			lo VIP:53 > POD:50000 SA = dns-app
			lo VIP:53 > POD:50000 A = dns-app
			lo POD:50000 > LO:15053 F = dns-app`,
		"TCP to another server": `
			lo POD:50000 > LO:15053 S = dns-app
			lo POD:50000 > LO:15001 S = outbound-app
			lo PEER:53 > POD:50000 SA = outbound-app
			lo PEER:53 > POD:50003 A = outbound-app`,
		"TCP, older than the capture": `
			lo POD:50000 > LO:15053 A = dns-app
			lo VIP:53 > POD:50000 A = dns-app`,
	})
}
