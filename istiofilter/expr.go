package istiofilter

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// expr is the filter of one leg. An empty one means that nothing smaller than
// everything has all of the leg.
func (p *Pod) expr(leg Leg) (expr string, exact bool) {
	switch leg {
	case InboundApp:
		if p.Transparent {
			return "tcp and " + anyOf(p.proxySource(), p.crossing("dst", "src"), p.crossing("src", "dst"), p.within(p.own)), false
		}
		return "tcp and " + p.proxySource(), true
	case OutboundApp:
		return p.outboundApp()
	case SelfWire:
		return "tcp and " + anyOf(p.redirected(p.Inbound), p.within(p.own)), false
	case DNSApp:
		return either(p.redirected(p.DNS), allOf(fmt.Sprintf("src port %d", dnsPort), p.crossing("dst", "src"))), false
	case Self:
		return p.within(p.local), false
	case InboundWire, OutboundWire:
		return "tcp", false
	case DNSWire:
		return fmt.Sprintf("port %d", dnsPort), false
	case HBONE:
		return fmt.Sprintf("tcp port %d", hbonePort), false
	case Admin:
		return "tcp and " + anyPort(slices.Concat(p.Admin, p.LocalAdmin)), false
	case GatewayDownstream, GatewayUpstream:
		return p.gateway(leg)
	}
	return "", false
}

// gateway is the filter of a leg of a gateway: what has its address, or what
// the networks tell.
func (p *Pod) gateway(leg Leg) (expr string, exact bool) {
	var hosts []string
	for _, a := range p.addrs() {
		hosts = append(hosts, "host "+a.String())
	}
	if len(hosts) > 0 {
		return "tcp and " + anyOf(hosts...), false
	}
	within := p.within(p.inCluster)
	exact = len(p.Admin)+len(p.Control) == 0
	switch {
	case within == "":
		return "tcp", false
	case leg == GatewayUpstream:
		return "tcp and " + anyOf(within), exact
	default:
		return "tcp and not (" + within + ")", exact
	}
}

// inCluster matches packets whose source or destination is in the cluster.
func (p *Pod) inCluster(side string, v6 bool) string {
	var nets []string
	for _, n := range p.Cluster {
		if n.Addr().Is6() == v6 {
			nets = append(nets, fmt.Sprintf("%s net %s", side, n.Masked()))
		}
	}
	return anyOf(nets...)
}

// outboundApp is the filter of OutboundApp. Where queries by TCP have a port
// of their own, it takes seeing them to tell their answers from others.
func (p *Pod) outboundApp() (expr string, exact bool) {
	parts := []string{p.redirected(p.Outbound), p.crossing("dst", "src")}
	if p.DNS != 0 {
		parts = append(parts, p.redirected(p.DNS))
	}
	return "tcp and " + anyOf(parts...), p.DNS == 0 && !p.Transparent
}

// proxySource matches the connections that the proxy makes to the app.
func (p *Pod) proxySource() string {
	v4, v6 := "host "+proxySource4.String(), "ip6 host "+proxySource6.String()
	if !p.redirects6() {
		return v4
	}
	return anyOf(v4, v6)
}

// redirected matches the half of a redirected connection that goes to the
// proxy: from the pod's address to a port of 127.0.0.1 or ::1.
func (p *Pod) redirected(port uint16) string {
	v4 := "dst host 127.0.0.1 and not src net 127.0.0.0/8"
	if p.redirects6() {
		v4 = anyOf(v4, "dst host ::1 and not (src host ::1 or src host ::6)")
	}
	return fmt.Sprintf("dst port %d and %s", port, v4)
}

// crossing matches what has an address of the pod at its near end and none
// that belongs to the pod at its far end. Those that come, on lo, are answers
// from the address that the app had asked for.
func (p *Pod) crossing(near, far string) string {
	cross := func(v6 bool) string {
		own := p.own(near, v6)
		if own == "" {
			return ""
		}
		return own + " and not " + p.local(far, v6)
	}
	if !p.redirects6() {
		return cross(false)
	}
	return either(cross(false), cross(true))
}

// within matches packets with both ends in a set of addresses.
func (p *Pod) within(set func(side string, v6 bool) string) string {
	between := func(v6 bool) string { return allOf(set("src", v6), set("dst", v6)) }
	return either(between(false), between(true))
}

// own matches packets whose source or destination is an address of the pod.
func (p *Pod) own(side string, v6 bool) string {
	return anyOf(p.hosts(side, v6)...)
}

// local matches packets whose source or destination is in the pod, be it an
// address of its own or one that every pod has.
func (p *Pod) local(side string, v6 bool) string {
	if v6 {
		return anyOf(append(p.hosts(side, v6), side+" host "+netip.IPv6Loopback().String(), side+" host "+proxySource6.String())...)
	}
	return anyOf(append(p.hosts(side, v6), side+" net 127.0.0.0/8")...)
}

func (p *Pod) hosts(side string, v6 bool) []string {
	var out []string
	for _, a := range p.addrs() {
		if a.Is6() == v6 {
			out = append(out, side+" host "+a.String())
		}
	}
	return out
}

func anyPort(ports []uint16) string {
	parts := make([]string, len(ports))
	for i, port := range ports {
		parts[i] = fmt.Sprintf("port %d", port)
	}
	return anyOf(parts...)
}

// anyOf joins filters by "or", so that the result can be an operand of "and"
// and "not": pcap-filter(7) gives "and" and "or" the same precedence.
func anyOf(parts ...string) string {
	s := either(parts...)
	if has(s, " or ") {
		return "(" + s + ")"
	}
	return s
}

// either joins filters by "or".
func either(parts ...string) string {
	var some []string
	for _, s := range parts {
		if has(s, " and ") {
			s = "(" + s + ")"
		}
		if s != "" && !slices.Contains(some, s) {
			some = append(some, s)
		}
	}
	if len(some) == 1 {
		return parts[slices.IndexFunc(parts, func(s string) bool { return s != "" })]
	}
	return strings.Join(some, " or ")
}

// allOf joins two filters by "and"; without one of them nothing can match.
func allOf(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return anyOf(a) + " and " + anyOf(b)
}

// has reports whether there is a word outside of parentheses.
func has(s, word string) bool {
	depth := 0
	for i := range s {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], word):
			return true
		}
	}
	return false
}
