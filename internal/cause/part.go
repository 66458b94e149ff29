package cause

import (
	"icap/internal/flow"
	"icap/istiofilter"
)

// A Part is somebody who takes part in a connection.
type Part string

// The parts.
const (
	App    Part = "app"
	Proxy  Part = "proxy"
	Pod    Part = "pod"    // the app, or its proxy
	Peer   Part = "peer"   // outside of the pod
	Client Part = "client" // where nothing else is known
	Server Part = "server"
	Nobody Part = "nobody"
)

// A Where is a leg, or that there is none.
type Where struct {
	Leg   istiofilter.Leg
	Known bool
}

// Parts are who talks on a leg: its client and its server. Where both are not
// fixed, the way that a packet went tells.
func (w Where) Parts(e *flow.Event) (client, server Part) {
	if !w.Known {
		return outside(e, Client, Server)
	}
	switch w.Leg {
	case istiofilter.InboundWire:
		return Peer, Proxy
	case istiofilter.InboundApp:
		return Proxy, App
	case istiofilter.OutboundApp, istiofilter.DNSApp:
		return App, Proxy
	case istiofilter.OutboundWire:
		return Proxy, Peer
	case istiofilter.SelfWire:
		return Proxy, Proxy
	case istiofilter.Self:
		return App, App
	case istiofilter.HBONE:
		return outside(e, Proxy, Proxy)
	case istiofilter.Admin:
		return outside(e, Pod, Proxy)
	}
	return outside(e, Pod, Pod)
}

// outside tells which side of a connection is not in the pod, by the way of
// one packet.
func outside(e *flow.Event, client, server Part) (Part, Part) {
	local := e.Conn.Client.Addr() == e.Conn.Server.Addr() || e.Conn.Server.Addr().IsLoopback()
	switch {
	case local:
	case e.Sent && e.ByClient, e.Received && !e.ByClient:
		return client, Peer
	case e.Sent, e.Received:
		return Peer, server
	}
	return client, server
}

// sender is who sent the packet of an event, and receiver who it went to.
func (w Where) sender(e *flow.Event) (sender, receiver Part) {
	client, server := w.Parts(e)
	if e.ByClient {
		return client, server
	}
	return server, client
}
