package istiofilter

import (
	"net/netip"
	"slices"
	"strings"
)

// A Rule says whether the TCP connections that match it are redirected. The
// first that matches decides; where none does, a connection is not. What is
// empty in a rule matches everything.
type Rule struct {
	Redirect bool

	// Version is 4 or 6 for a rule for one IP version alone.
	Version uint8

	// Ports are the destination ports, and NotPorts all others.
	Ports, NotPorts []uint16

	// Every network of Peer has the remote address, and none of NotPeer; so
	// do Own and NotOwn with the local address.
	Peer, NotPeer, Own, NotOwn []netip.Prefix

	// Links are names of the interface, each of which has to match, and
	// NotLinks of others. A "+" at the end stands for any further letters.
	Links, NotLinks []string
}

// A Mark is that of a packet, SO_MARK of socket(7), of which only the bits of
// Mask count.
type Mark struct{ Value, Mask uint32 }

// A connector is what rules ask of a connection.
type connector struct {
	link      string // "" for one that is not known
	own, peer netip.Addr
	port      uint16 // where it was made to
}

// A fate is what becomes of a connection.
type fate uint8

const (
	sparedByAddress fate = iota // or since no rule takes it
	sparedByPort
	redirected
)

// fateOf is what rules do with a connection.
func fateOf(rules []Rule, c connector) fate {
	if rules == nil {
		return redirected
	}
	for i := range rules {
		switch r := &rules[i]; {
		case !r.matches(c):
		case r.Redirect:
			return redirected
		case len(r.Ports) > 0:
			return sparedByPort
		default:
			return sparedByAddress
		}
	}
	return sparedByAddress
}

// Spares reports whether the rules leave connections alone that the app makes
// out of the pod. They look like those that the proxy makes to the same place,
// so who opened them has to be told in a Packet.
func (p *Pod) Spares() bool {
	if p.Outbound == 0 || p.OutboundRules == nil {
		return false
	}
	for i := range p.OutboundRules {
		switch r := &p.OutboundRules[i]; {
		case r.stays():
		case !r.Redirect:
			return true
		case len(r.Ports)+len(r.NotPorts)+len(r.Peer)+len(r.Own)+len(r.Links)+len(r.NotLinks) == 0:
			return false
		}
	}
	return true
}

// stays reports whether a rule is about connections within the pod.
func (r *Rule) stays() bool {
	return slices.Contains(r.Links, "lo") ||
		slices.ContainsFunc(r.Peer, func(n netip.Prefix) bool { return n.Addr().IsLoopback() })
}

func (r *Rule) matches(c connector) bool {
	switch {
	case r.Version == 4 && !c.peer.Is4() || r.Version == 6 && c.peer.Is4():
		return false
	case len(r.Ports) > 0 && !slices.Contains(r.Ports, c.port) || slices.Contains(r.NotPorts, c.port):
		return false
	}
	return inAll(r.Peer, c.peer) && inNone(r.NotPeer, c.peer) && inAll(r.Own, c.own) && inNone(r.NotOwn, c.own) &&
		r.linked(c.link)
}

func (r *Rule) linked(name string) bool {
	for _, l := range r.Links {
		if !isLink(l, name) {
			return false
		}
	}
	for _, l := range r.NotLinks {
		if isLink(l, name) {
			return false
		}
	}
	return true
}

func isLink(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "+"); ok {
		return name != "" && strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

func inAll(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if !n.Contains(a) {
			return false
		}
	}
	return true
}

func inNone(nets []netip.Prefix, a netip.Addr) bool { return !inAny(nets, a) }

func inAny(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
