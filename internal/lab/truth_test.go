package lab

import (
	"net/netip"
	"testing"
)

// Addresses of the pod that flows are of.
var truthPod = &Pod{
	Addr:  netip.MustParseAddr("10.244.0.11"),
	Addr6: netip.MustParseAddr("fd00:10:244::b"),
}

// connected and answered are the two ends of TCP connections.
func connected(use Use, local, remote string) Socket {
	return Socket{Use: use, Proto: TCP, Local: parseAddrPort(local), Remote: parseAddrPort(remote)}
}

func serving(use Use, local, remote, original string) Socket {
	s := connected(use, local, remote)
	s.Accepted, s.Original = true, parseAddrPort(original)
	return s
}

// query makes a socket one of DNS over UDP.
func query(s Socket, id uint16) Socket {
	s.Proto, s.Query, s.Original = UDP, id, netip.AddrPort{}
	return s
}

// TestFlows has the reports of a pod and what packet sockets must show: leg,
// interface, request and answer.
func TestFlows(t *testing.T) {
	const (
		pod, client, vip = "10.244.0.11", "10.244.0.10", "10.96.0.10"
		outbound         = "127.0.0.1:15001"
	)
	type seen struct{ leg, iface, src, dst, answerSrc, answerDst string }
	for name, c := range map[string]struct {
		pod, elsewhere []Socket
		want           []seen
	}{
		"outbound": {
			pod: []Socket{
				connected(UseApp, pod+":40000", vip+":9080"),
				serving(UseOutbound, outbound, pod+":40000", vip+":9080"),
				connected(UseOutbound, pod+":40002", "10.244.0.12:8080"),
			},
			want: []seen{
				{LegOutboundApp, "lo", pod + ":40000", outbound, vip + ":9080", pod + ":40000"},
				{LegOutboundWire, "eth0", pod + ":40002", "10.244.0.12:8080", "10.244.0.12:8080", pod + ":40002"},
			},
		},
		"one port to two destinations": {
			pod: []Socket{
				connected(UseApp, pod+":45555", vip+":9080"),
				connected(UseApp, pod+":45555", client+":8081"),
				serving(UseOutbound, outbound, pod+":45555", vip+":9080"),
				serving(UseOutbound, outbound, pod+":1027", client+":8081"),
			},
			want: []seen{
				{LegOutboundApp, "lo", pod + ":45555", outbound, vip + ":9080", pod + ":45555"},
				{LegOutboundApp, "lo", pod + ":1027", outbound, client + ":8081", pod + ":45555"},
			},
		},
		"inbound, redirected": {
			pod: []Socket{
				serving(UseInbound, pod+":15006", client+":50000", pod+":8080"),
				connected(UseInbound, "127.0.0.6:40000", pod+":8080"),
				serving(UseApp, pod+":8080", "127.0.0.6:40000", pod+":8080"),
			},
			elsewhere: []Socket{connected(UseApp, client+":50000", pod+":8080")},
			want: []seen{
				{LegInboundWire, "eth0", client + ":50000", pod + ":8080", pod + ":8080", client + ":50000"},
				{LegInboundApp, "lo", "127.0.0.6:40000", pod + ":8080", pod + ":8080", "127.0.0.6:40000"},
			},
		},
		"inbound, from a port that was used before": {
			pod:       []Socket{serving(UseInbound, pod+":15006", client+":1028", pod+":8080")},
			elsewhere: []Socket{connected(UseApp, client+":50000", pod+":8080")},
			want: []seen{
				{LegInboundWire, "eth0", client + ":50000", pod + ":8080", pod + ":8080", client + ":50000"},
			},
		},
		"inbound with the client's address, refused": {
			pod: []Socket{
				serving(UseInbound, pod+":15006", client+":50000", pod+":9"),
				connected(UseInbound, client+":41000", pod+":9"),
			},
			want: []seen{
				{LegInboundWire, "eth0", client + ":50000", pod + ":9", pod + ":9", client + ":50000"},
				{LegInboundApp, "lo", client + ":41000", pod + ":9", pod + ":9", client + ":41000"},
			},
		},
		"self by the proxy": {
			pod: []Socket{
				connected(UseOutbound, pod+":40002", pod+":8080"),
				serving(UseInbound, "127.0.0.1:15006", pod+":40002", pod+":8080"),
			},
			want: []seen{{LegSelfWire, "lo", pod + ":40002", "127.0.0.1:15006", pod + ":8080", pod + ":40002"}},
		},
		"self by the application": {
			pod: []Socket{
				connected(UseApp, pod+":40002", pod+":8080"),
				serving(UseApp, pod+":8080", pod+":40002", pod+":8080"),
			},
			want: []seen{{LegSelf, "lo", pod + ":40002", pod + ":8080", pod + ":8080", pod + ":40002"}},
		},
		"refused by the pod's kernel": {
			elsewhere: []Socket{connected(UseApp, client+":50000", pod+":15008"), connected(UseApp, client+":50001", pod+":9")},
			want: []seen{
				{LegHBONE, "eth0", client + ":50000", pod + ":15008", pod + ":15008", client + ":50000"},
				{LegDirect, "eth0", client + ":50001", pod + ":9", pod + ":9", client + ":50001"},
			},
		},
		"queries": {
			pod: []Socket{
				query(connected(UseApp, pod+":40000", vip+":53"), 7),
				query(serving(UseDNS, "127.0.0.1:15053", pod+":40000", ""), 7),
				query(connected(UseDNS, pod+":40001", vip+":53"), 8),
			},
			want: []seen{
				{LegDNSApp, "lo", pod + ":40000", "127.0.0.1:15053", vip + ":53", pod + ":40000"},
				{LegDNSWire, "eth0", pod + ":40001", vip + ":53", vip + ":53", pod + ":40001"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := flowsOf(truthPod, map[*Pod][]Socket{truthPod: c.pod, {Name: "client"}: c.elsewhere})
			if len(got) != len(c.want) {
				t.Fatalf("got %d flows, want %d: %+v", len(got), len(c.want), got)
			}
			for i, f := range got {
				have := seen{f.Leg, f.Interface, f.Request.Src.String(), f.Request.Dst.String(), f.Answer.Src.String(), f.Answer.Dst.String()}
				if have != c.want[i] {
					t.Errorf("got %+v, want %+v", have, c.want[i])
				}
			}
		})
	}
}
