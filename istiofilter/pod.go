package istiofilter

import (
	"net/netip"
	"slices"
)

// A Pod is what its network namespace tells about the traffic in it. The zero
// value is a pod without a proxy and without addresses.
type Pod struct {
	Interfaces []Interface

	// Outbound and Inbound are the proxy's ports to which the namespace's
	// rules redirect what the app sends and what comes in, and DNS the one
	// to which they redirect DNS. 0 means that they do not.
	Outbound, Inbound, DNS uint16

	// IPv4Only says that the rules leave IPv6 alone, so that it goes past
	// the proxy.
	IPv4Only bool

	// Transparent says that the proxy connects to the app from the client's
	// address, as it does behind TPROXY and in ambient mode, rather than
	// from 127.0.0.6 or ::6.
	Transparent bool

	// UpstreamMarks are the marks of packets between proxy and app, and
	// SelfMarks of those that the proxy sends to its own pod otherwise. They
	// tell connections within the pod apart where the proxy is Transparent.
	UpstreamMarks, SelfMarks []Mark

	// Admin are further ports that the proxy listens on, and LocalAdmin those
	// that only the pod itself can reach.
	Admin, LocalAdmin []uint16
	// Listening are the TCP ports that others in the pod listen on.
	Listening []uint16
	// Control are the ports of the control plane, which the proxy's agent
	// calls on its own account. The proxy may call others there.
	Control []uint16

	// InboundRules and OutboundRules say which connections are redirected,
	// nil meaning all.
	InboundRules, OutboundRules []Rule

	// Gateway says that the pod is a proxy that forwards between clients and
	// upstreams, with nothing redirected. Interfaces then are where its
	// packets are seen, with the addresses of the gateway.
	Gateway bool
	// Shared says that others have the gateway's addresses as well, as where it
	// has the network of its node. Then only connections to Listening are
	// downstream, and only those that the gateway has opened are upstream.
	Shared bool
	// Cluster are the networks of pods and services. For a gateway they tell
	// what addresses and listeners do not.
	Cluster []netip.Prefix

	// FirstEphemeral and LastEphemeral are the range from which the kernel
	// takes the local ports of outgoing connections. 0 means not known.
	FirstEphemeral, LastEphemeral uint16
}

// An Interface is a network interface of the pod.
type Interface struct {
	Name     string
	Loopback bool
	Addrs    []netip.Addr
}

// Source addresses that Istio's proxy binds to when it connects to the app, so
// that the rules leave these connections alone.
var (
	proxySource4 = netip.AddrFrom4([4]byte{127, 0, 0, 6})
	proxySource6 = netip.AddrFrom16([16]byte{15: 6})
)

// hbonePort is where HBONE tunnels end: a fixed part of the protocol.
const hbonePort = 15008

// dnsPort is where DNS servers listen.
const dnsPort = 53

// Sidecar reports whether the pod's traffic is redirected to a proxy.
func (p *Pod) Sidecar() bool { return p.Outbound != 0 || p.Inbound != 0 }

// calls reports whether the proxy connects to the app. In ambient mode it does
// so for what comes by tunnel, even where nothing is redirected to it.
func (p *Pod) calls() bool {
	return p.Inbound != 0 || p.Transparent && len(p.UpstreamMarks) > 0
}

// LegsOf returns the legs that can occur on an interface. A Classifier finds
// no others there.
func (p *Pod) LegsOf(i Interface) Legs {
	s := Set(Direct)
	if p.Gateway && !i.Loopback {
		s |= Set(GatewayDownstream, GatewayUpstream)
	}
	if i.Loopback {
		s |= Set(Self)
	} else {
		s |= Set(DNSWire, HBONE)
	}
	if len(p.Admin) > 0 || i.Loopback && len(p.LocalAdmin) > 0 {
		s |= Set(Admin)
	}
	switch {
	case p.calls() && i.Loopback:
		s |= Set(InboundApp, SelfWire)
	case p.Inbound != 0:
		s |= Set(InboundWire)
	}
	switch {
	case p.Outbound != 0 && i.Loopback:
		s |= Set(OutboundApp)
	case p.Outbound != 0:
		s |= Set(OutboundWire)
	}
	if p.DNS != 0 && i.Loopback {
		s |= Set(DNSApp)
	}
	return s
}

// addrs returns the pod's own addresses, one of each family or more, in order
// and without those that every namespace or the proxy has.
func (p *Pod) addrs() []netip.Addr {
	var out []netip.Addr
	for _, i := range p.Interfaces {
		for _, a := range i.Addrs {
			if a = a.Unmap().WithZone(""); a.IsValid() && !isLoopback(a) && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// redirects6 reports whether IPv6 passes the proxy.
func (p *Pod) redirects6() bool {
	return !p.IPv4Only && slices.ContainsFunc(p.addrs(), netip.Addr.Is6)
}

// isLoopback reports whether an address never leaves the pod and is in every
// pod: 127.0.0.0/8, ::1, and the proxy's ::6. An IPv4 address in its IPv6 form
// is none of them, since no packet to it comes to lo.
func isLoopback(a netip.Addr) bool {
	return a == proxySource6 || a.IsLoopback() && !a.Is4In6()
}
