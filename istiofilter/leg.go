package istiofilter

import (
	"fmt"
	"iter"
	"strings"
)

// A Leg is a part of the way of Istio's traffic through a pod.
type Leg uint8

// The legs. The first four are the four sides of a sidecar.
const (
	// InboundWire is between client and proxy, on eth0.
	InboundWire Leg = iota
	// InboundApp is between proxy and app, on lo, in plaintext.
	InboundApp
	// OutboundApp is between app and proxy, on lo, in plaintext.
	OutboundApp
	// OutboundWire is between proxy and peer, on eth0.
	OutboundWire
	// SelfWire is between the proxy and itself, on lo, when the app calls a
	// service that its own pod serves.
	SelfWire
	// Self is between the app and its own pod, on lo, past the proxy.
	Self
	// DNSApp is between app and the proxy's DNS server, on lo.
	DNSApp
	// DNSWire is between the pod and its DNS server.
	DNSWire
	// HBONE is the tunnel of ambient mode, on eth0.
	HBONE
	// Admin is to the proxy's own ports: metrics, health, configuration.
	Admin
	// GatewayDownstream is between a client and a gateway.
	GatewayDownstream
	// GatewayUpstream is between a gateway and what it forwards to.
	GatewayUpstream
	// Direct is everything that does not pass the proxy.
	Direct

	numLegs
)

var legNames = [numLegs]string{
	"inbound-wire", "inbound-app", "outbound-app", "outbound-wire",
	"self-wire", "self", "dns-app", "dns-wire", "hbone", "admin",
	"gateway-downstream", "gateway-upstream", "direct",
}

var legMeanings = [numLegs]string{
	"client and proxy", "proxy and app, plaintext",
	"app and proxy, plaintext", "proxy and peer",
	"proxy to its own pod", "app to its own pod",
	"app and the proxy's DNS server", "pod and DNS server",
	"HBONE tunnel", "the proxy's own ports",
	"client and gateway", "gateway and upstream", "not through the proxy",
}

// String is the leg's name, as ParseLegs reads it.
func (l Leg) String() string {
	if l >= numLegs {
		return fmt.Sprintf("leg(%d)", uint8(l))
	}
	return legNames[l]
}

// Meaning says in a few words between whom the leg is.
func (l Leg) Meaning() string {
	if l >= numLegs {
		return ""
	}
	return legMeanings[l]
}

// Legs is a set of legs.
type Legs uint16

// Sets of legs that belong together.
const (
	AllLegs      Legs = 1<<numLegs - 1
	InboundLegs  Legs = 1<<InboundWire | 1<<InboundApp
	OutboundLegs Legs = 1<<OutboundWire | 1<<OutboundApp
	AppLegs      Legs = 1<<InboundApp | 1<<OutboundApp | 1<<DNSApp
	WireLegs     Legs = 1<<InboundWire | 1<<OutboundWire | 1<<SelfWire | 1<<DNSWire | 1<<HBONE |
		1<<GatewayDownstream | 1<<GatewayUpstream
	GatewayLegs Legs = 1<<GatewayDownstream | 1<<GatewayUpstream
)

// Set is the set of the legs given.
func Set(legs ...Leg) Legs {
	var s Legs
	for _, l := range legs {
		s |= 1 << l
	}
	return s
}

// Has reports whether the set has a leg.
func (s Legs) Has(l Leg) bool { return s&(1<<l) != 0 }

// All yields the legs of the set, in order.
func (s Legs) All() iter.Seq[Leg] {
	return func(yield func(Leg) bool) {
		for l := range numLegs {
			if s.Has(l) && !yield(l) {
				return
			}
		}
	}
}

// String lists the names, separated by commas.
func (s Legs) String() string {
	var names []string
	for l := range s.All() {
		names = append(names, l.String())
	}
	return strings.Join(names, ",")
}

// ParseLegs reads names of legs separated by commas.
func ParseLegs(text string) (Legs, error) {
	var s Legs
	for name := range strings.SplitSeq(text, ",") {
		l, ok := parseLeg(strings.TrimSpace(name))
		if !ok {
			return 0, fmt.Errorf("unknown leg %q; there are %s", name, strings.Join(legNames[:], ", "))
		}
		s |= 1 << l
	}
	return s, nil
}

func parseLeg(name string) (Leg, bool) {
	for l, n := range legNames {
		if n == name {
			return Leg(l), true
		}
	}
	return 0, false
}
