package istiofilter

import (
	"fmt"
	"strings"
)

// A Filter says what to capture on one interface.
type Filter struct {
	Interface Interface
	// Expr is a filter expression of pcap-filter(7), empty for everything.
	Expr string
	// Legs are those of the wanted legs that occur on the interface.
	Legs Legs
	// Exact is whether Expr matches these legs and nothing else. Where it is
	// not, a Classifier has to sort the packets out.
	Exact bool
}

// Filters gives a filter for each interface on which a wanted leg occurs.
func (p *Pod) Filters(want Legs) []Filter {
	var out []Filter
	for _, i := range p.Interfaces {
		all := p.LegsOf(i)
		legs := all & want
		switch {
		case legs == 0:
			continue
		case legs == all:
			out = append(out, Filter{Interface: i, Legs: legs, Exact: true})
		default:
			out = append(out, p.filter(i, legs))
		}
	}
	return out
}

// filter joins what each leg needs.
func (p *Pod) filter(i Interface, legs Legs) Filter {
	f := Filter{Interface: i, Legs: legs, Exact: true}
	var parts []string
	for leg := range legs.All() {
		expr, exact := p.expr(i, leg)
		f.Exact = f.Exact && exact
		if expr == "" {
			parts = nil
			break
		}
		parts = append(parts, expr)
	}
	f.Expr = anyOf(parts...)
	return f
}

// expr is the filter of one leg. An empty one means that nothing smaller than
// everything has all of the leg.
func (p *Pod) expr(i Interface, leg Leg) (expr string, exact bool) {
	switch leg {
	case InboundApp:
		return "tcp and " + anyOf("host "+proxySource4.String(), "ip6 host "+proxySource6.String()), true
	case OutboundApp:
		return "tcp and " + anyOf(redirected(p.Outbound), p.answers()), true
	case SelfWire:
		return "tcp and " + anyOf(redirected(p.Inbound), p.withinPod()), false
	case DNSApp:
		return anyOf(redirected(p.DNS), fmt.Sprintf("src port %d and %s", dnsPort, p.answers())), false
	case Self:
		return anyOf("src net 127.0.0.0/8 and dst net 127.0.0.0/8", "src host ::1 and dst host ::1", p.withinPod()), false
	case InboundWire, OutboundWire:
		return "tcp", false
	case DNSWire:
		return fmt.Sprintf("port %d", dnsPort), false
	case HBONE:
		return fmt.Sprintf("tcp port %d", hbonePort), false
	case Admin:
		if len(p.Admin) == 0 {
			return "", false
		}
		return "tcp and " + anyPort(p.Admin), false
	}
	return "", false
}

// redirected matches the half of a redirected connection that goes to the
// proxy: from the pod's address to a port of 127.0.0.1 or ::1.
func redirected(port uint16) string {
	return fmt.Sprintf("(dst port %d and ((dst host 127.0.0.1 and not src net 127.0.0.0/8) or (dst host ::1 and not src host ::1)))", port)
}

// answers matches the other half: it comes from the address that the app had
// asked for, which is neither the pod's own nor a loopback one.
func (p *Pod) answers() string {
	var parts []string
	for _, a := range p.addrs() {
		from := "src net 127.0.0.0/8"
		if a.Is6() {
			from = "src host ::1 or src host " + proxySource6.String()
		}
		parts = append(parts, fmt.Sprintf("(dst host %s and not (%s%s))", a, p.own("src", a.Is6()), from))
	}
	return anyOf(parts...)
}

// own matches the pod's addresses of a family, followed by "or ".
func (p *Pod) own(side string, v6 bool) string {
	var b strings.Builder
	for _, a := range p.addrs() {
		if a.Is6() == v6 {
			fmt.Fprintf(&b, "%s host %s or ", side, a)
		}
	}
	return b.String()
}

// withinPod matches packets between addresses of the pod.
func (p *Pod) withinPod() string {
	var parts []string
	for _, a := range p.addrs() {
		var to []string
		for _, b := range p.addrs() {
			if a.Is6() == b.Is6() {
				to = append(to, "dst host "+b.String())
			}
		}
		parts = append(parts, fmt.Sprintf("(src host %s and %s)", a, anyOf(to...)))
	}
	return anyOf(parts...)
}

func anyPort(ports []uint16) string {
	parts := make([]string, len(ports))
	for i, port := range ports {
		parts[i] = fmt.Sprintf("port %d", port)
	}
	return anyOf(parts...)
}

// anyOf joins filters by "or", in parentheses where there are several.
func anyOf(parts ...string) string {
	var some []string
	for _, s := range parts {
		if s != "" {
			some = append(some, s)
		}
	}
	if len(some) == 1 {
		return some[0]
	}
	for i, s := range some {
		if strings.Contains(s, " and ") && s[0] != '(' {
			some[i] = "(" + s + ")"
		}
	}
	if len(some) == 0 {
		return ""
	}
	return "(" + strings.Join(some, " or ") + ")"
}
