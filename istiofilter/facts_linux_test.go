package istiofilter_test

import (
	"slices"
	"testing"

	"icap/internal/kernel"
	"icap/istiofilter"
	"icap/nsswitch"
)

// readPod asks a namespace for all that a Pod says.
func readPod(t *testing.T, ns *nsswitch.NS) *istiofilter.Pod {
	t.Helper()
	var (
		p         istiofilter.Pod
		links     []kernel.Link
		rules     kernel.Redirects
		listeners []kernel.Listener
	)
	err := ns.Do(func() (err error) {
		if links, err = kernel.Links(); err != nil {
			return err
		}
		if rules, err = kernel.ReadRedirects(); err != nil {
			return err
		}
		if listeners, err = kernel.Listeners(); err != nil {
			return err
		}
		p.FirstEphemeral, p.LastEphemeral, err = kernel.EphemeralPorts()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if !l.Up {
			continue
		}
		i := istiofilter.Interface{Name: l.Name, Loopback: l.Loopback}
		for _, a := range l.Addrs {
			i.Addrs = append(i.Addrs, a.Addr())
		}
		p.Interfaces = append(p.Interfaces, i)
	}
	p.Outbound, p.Inbound, p.DNS = rules.Outbound, rules.Inbound, rules.DNS
	p.Transparent = rules.TProxy || rules.Ambient
	for _, r := range rules.InboundRules {
		p.InboundRules = append(p.InboundRules, istiofilter.Rule(r))
	}
	for _, r := range rules.OutboundRules {
		p.OutboundRules = append(p.OutboundRules, istiofilter.Rule(r))
	}
	for _, m := range rules.UpstreamMarks {
		p.UpstreamMarks = append(p.UpstreamMarks, istiofilter.Mark(m))
	}
	for _, m := range rules.SelfMarks {
		p.SelfMarks = append(p.SelfMarks, istiofilter.Mark(m))
	}
	p.Control = []uint16{15010, 15012}
	p.IPv4Only = !rules.IPv6()
	addListeners(t, &p, listeners)
	return &p
}

// addListeners parts the listening ports: the proxy is the process that holds
// the ports which the rules redirect to.
func addListeners(t *testing.T, p *istiofilter.Pod, listeners []kernel.Listener) {
	t.Helper()
	var inodes []uint64
	for _, l := range listeners {
		inodes = append(inodes, l.Inode)
	}
	owners, err := kernel.Owners("", inodes)
	if err != nil {
		t.Fatal(err)
	}
	redirect := func(port uint16) bool { return port == p.Outbound || port == p.Inbound }
	var proxies []int
	for _, l := range listeners {
		if redirect(l.Addr.Port()) {
			proxies = append(proxies, owners[l.Inode].PID)
		}
	}
	for _, l := range listeners {
		port := l.Addr.Port()
		to := &p.Listening
		if slices.Contains(proxies, owners[l.Inode].PID) {
			to = &p.Admin
			if l.Addr.Addr().IsLoopback() {
				to = &p.LocalAdmin
			}
		}
		if l.Proto == kernel.ProtoTCP && !redirect(port) && !slices.Contains(*to, port) {
			*to = append(*to, port)
		}
	}
}
