package istiofilter

// A Filter says what to capture on one interface.
type Filter struct {
	Interface Interface
	// Expr is a filter expression of pcap-filter(7), empty for everything.
	Expr string
	// Legs are those of the wanted legs that occur on the interface.
	Legs Legs
	// Exact is whether Expr matches these legs and nothing else. Where it is
	// not, a Classifier has to sort the packets out.
	//
	// No filter looks behind the extension headers of IPv6, or behind a VLAN
	// tag that is still in the frame. Packets of a pod rarely have either.
	Exact bool
	// Origins are those to capture apart, if any: see Pod.Marks.
	Origins []Origin
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
			out = append(out, Filter{Interface: i, Legs: legs, Exact: true, Origins: p.Origins(i, legs)})
		default:
			out = append(out, p.filter(i, legs))
		}
	}
	return out
}

// filter joins what each leg needs.
func (p *Pod) filter(i Interface, legs Legs) Filter {
	f := Filter{Interface: i, Legs: legs, Exact: true, Origins: p.Origins(i, legs)}
	var parts []string
	for leg := range legs.All() {
		expr, exact := p.expr(leg)
		f.Exact = f.Exact && exact
		if expr == "" {
			parts = nil
			break
		}
		parts = append(parts, expr)
	}
	f.Expr = either(parts...)
	return f
}
