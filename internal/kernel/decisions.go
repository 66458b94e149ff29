package kernel

import (
	"net/netip"
	"slices"
)

// A decision is a rule that ends the way of some connections through the rules
// of a hook: they are redirected or go past what follows.
type decision struct {
	cond
	redirect bool
}

// rules are the decisions of a hook about connections that are not the
// proxy's own, in order.
func (f *finding) rules(h hook) []Rule {
	var all []Rule
	for _, d := range f.decisions[h] {
		if !d.tcp() || d.owned() || len(d.marks) > 0 {
			continue
		}
		// What is not understood may make a rule match less than it seems to.
		if d.other && !d.redirect {
			continue
		}
		all = append(all, d.rule(h))
	}
	return all
}

func (d decision) rule(h hook) Rule {
	r := Rule{
		Redirect: d.redirect, Version: d.version,
		Ports: d.ports, NotPorts: d.except,
		Peer: d.dst, NotPeer: d.notDst, Own: d.src, NotOwn: d.notSrc,
		Links: d.out, NotLinks: d.notOut,
	}
	if h == hookPrerouting {
		r.Peer, r.NotPeer, r.Own, r.NotOwn = d.src, d.notSrc, d.dst, d.notDst
		r.Links, r.NotLinks = d.in, d.notIn
	}
	return r
}

// setMarks takes the marks by which the rules know packets of the proxy.
//
// Under TPROXY the rules let packets with the mark of the proxy's connections
// to the app pass in PREROUTING, and all from lo but those that OUTPUT has
// marked as the proxy's to its own pod. In ambient mode nothing with the
// mark of ztunnel's sockets is redirected, and in OUTPUT neither is what
// answers them.
func (f *finding) setMarks(r *Redirects) {
	for _, d := range f.decisions[hookPrerouting] {
		switch {
		case d.redirect && !d.linked():
			r.UpstreamMarks = append(r.UpstreamMarks, d.notMarks...)
		case !d.redirect && !d.linked():
			r.UpstreamMarks = append(r.UpstreamMarks, d.marks...)
		case !d.redirect && len(d.in) > 0:
			r.SelfMarks = append(r.SelfMarks, d.notMarks...)
		}
	}
	for _, d := range f.decisions[hookOutput] {
		switch {
		case d.owned():
		case d.redirect && len(d.notMarks) > 0:
			r.Ambient = true
			r.UpstreamMarks = append(r.UpstreamMarks, d.notMarks...)
		case !d.redirect:
			r.UpstreamMarks = append(r.UpstreamMarks, d.marks...)
		}
	}
	r.UpstreamMarks, r.SelfMarks = unique(r.UpstreamMarks), unique(r.SelfMarks)
}

// unique returns s without duplicates, in the order of their first ones.
func unique(s []Mark) []Mark {
	var out []Mark
	for _, m := range s {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// network adds that an address must be in a network, or must not be.
func (c *cond) network(source, not bool, p netip.Prefix) {
	into := &c.dst
	switch {
	case source && not:
		into = &c.notSrc
	case source:
		into = &c.src
	case not:
		into = &c.notDst
	}
	*into = append(*into, p)
}

// link adds that a packet must pass an interface, or must not.
func (c *cond) link(input, not bool, name string) {
	into := &c.out
	switch {
	case input && not:
		into = &c.notIn
	case input:
		into = &c.in
	case not:
		into = &c.notOut
	}
	*into = append(*into, name)
	c.input = c.input || input
}

// mark adds that a packet must have a mark, or must not.
func (c *cond) mark(m Mark, not bool) {
	if not {
		c.notMarks = append(c.notMarks, m)
	} else {
		c.marks = append(c.marks, m)
	}
}
