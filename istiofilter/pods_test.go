package istiofilter_test

import (
	"net/netip"

	"icap/istiofilter"
)

// Addresses of the pods in these tests, of either IP version.
var (
	addrs4 = map[string]string{
		"POD": "10.244.0.11", "PEER": "10.244.0.12", "VIP": "10.96.0.10",
		"LO": "127.0.0.1", "PROXY": "127.0.0.6", "ALL": "224.0.0.251",
	}
	addrs6 = map[string]string{
		"POD": "fd00::b", "PEER": "fd00::c", "VIP": "fd00:96::a",
		"LO": "::1", "PROXY": "::6", "ALL": "ff02::fb",
	}
)

// interfaces are lo and eth0 with addresses.
func interfaces(addrs ...string) []istiofilter.Interface {
	eth0 := istiofilter.Interface{Name: "eth0"}
	for _, a := range addrs {
		eth0.Addrs = append(eth0.Addrs, netip.MustParseAddr(a))
	}
	lo := istiofilter.Interface{
		Name: "lo", Loopback: true,
		Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::6")},
	}
	return []istiofilter.Interface{lo, eth0}
}

// sidecar is a pod with two stacks and Istio's usual rules. Its app listens on
// a port inside of the ephemeral range.
func sidecar() *istiofilter.Pod {
	return &istiofilter.Pod{
		Interfaces:     interfaces("10.244.0.11", "fd00::b", "fe80::b"),
		Outbound:       15001,
		Inbound:        15006,
		Admin:          []uint16{15000, 15004, 15020, 15021, 15090},
		Listening:      []uint16{8080, 40000},
		InboundRules:   []istiofilter.Rule{{Ports: []uint16{15008, 15020, 15021, 15090, 7000}}, {Redirect: true}},
		FirstEphemeral: 32768, LastEphemeral: 60999,
	}
}

// changed is a sidecar with a difference.
func changed(change func(p *istiofilter.Pod)) *istiofilter.Pod {
	p := sidecar()
	change(p)
	return p
}

// withDNS is a sidecar that also has the DNS queries.
func withDNS() *istiofilter.Pod {
	return changed(func(p *istiofilter.Pod) { p.DNS = 15053 })
}

// plainPod is a pod without a proxy.
func plainPod() *istiofilter.Pod {
	return &istiofilter.Pod{
		Interfaces:     interfaces("10.244.0.11", "fd00::b"),
		Listening:      []uint16{8080},
		FirstEphemeral: 32768, LastEphemeral: 60999,
	}
}

// tproxy is a sidecar behind TPROXY.
func tproxy() *istiofilter.Pod {
	return changed(func(p *istiofilter.Pod) {
		p.Transparent = true
		p.UpstreamMarks = []istiofilter.Mark{{Value: 1337, Mask: 0xffffffff}}
		p.SelfMarks = []istiofilter.Mark{{Value: 1338, Mask: 0xffffffff}}
	})
}

// gateway is a gateway that is captured in its own namespace.
func gateway() *istiofilter.Pod {
	return &istiofilter.Pod{
		Interfaces:     interfaces("10.244.0.11", "fd00::b"),
		Gateway:        true,
		Admin:          []uint16{15000, 15021, 15090},
		Listening:      []uint16{8443},
		Control:        []uint16{15012},
		FirstEphemeral: 32768, LastEphemeral: 60999,
	}
}

// gatewayOnBridge is one of which nothing is known but the cluster's networks.
func gatewayOnBridge() *istiofilter.Pod {
	return &istiofilter.Pod{
		Interfaces: []istiofilter.Interface{{Name: "br0"}},
		Gateway:    true,
		Cluster: []netip.Prefix{
			netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd00::/8"),
		},
	}
}

// pods are pods of all kinds, in order.
func pods() []namedPod {
	return []namedPod{
		{"sidecar of IPv4", changed(func(p *istiofilter.Pod) { p.Interfaces = interfaces("10.244.0.11") })},
		{"sidecar of two stacks", sidecar()},
		{"IPv4 rules alone", changed(func(p *istiofilter.Pod) { p.IPv4Only = true })},
		{"sidecar with DNS", changed(func(p *istiofilter.Pod) { p.DNS, p.Interfaces = 15053, interfaces("10.244.0.11") })},
		{"two stacks with DNS", withDNS()},
		{"several addresses", changed(func(p *istiofilter.Pod) {
			p.Interfaces = append(interfaces("10.244.0.11"), istiofilter.Interface{
				Name: "net1", Addrs: []netip.Addr{netip.MustParseAddr("192.168.7.2")},
			})
		})},
		{"IPv6 alone", changed(func(p *istiofilter.Pod) { p.Interfaces = interfaces("fd00::b") })},
		{"transparent", changed(func(p *istiofilter.Pod) { p.Transparent, p.Interfaces = true, interfaces("10.244.0.11") })},
		{"transparent with DNS", changed(func(p *istiofilter.Pod) { p.Transparent, p.DNS = true, 15053 })},
		{"transparent with marks", tproxy()},
		{"transparent, inbound alone", changed(func(p *istiofilter.Pod) { p.Transparent, p.Outbound = true, 0 })},
		{"outbound alone", changed(func(p *istiofilter.Pod) { p.Inbound = 0 })},
		{"inbound alone", changed(func(p *istiofilter.Pod) { p.Outbound, p.Admin = 0, nil })},
		{"no proxy", plainPod()},
		{"gateway by address", gateway()},
		{"gateway by network", gatewayOnBridge()},
		{"gateway by network, with ports", changed(func(p *istiofilter.Pod) {
			*p = *gatewayOnBridge()
			p.Admin, p.Control = []uint16{15021}, []uint16{15012}
		})},
		{"envoy alone", changed(func(p *istiofilter.Pod) { p.Outbound, p.Inbound = 0, 0 })},
		{"DNS alone", changed(func(p *istiofilter.Pod) { p.Outbound, p.Inbound, p.DNS = 0, 0, 15053 })},
		{"addresses not known", changed(func(p *istiofilter.Pod) { p.Interfaces = interfaces() })},
		{"nothing known", &istiofilter.Pod{}},
	}
}

type namedPod struct {
	name string
	*istiofilter.Pod
}
