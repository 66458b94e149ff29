package main

import (
	"fmt"
	"slices"
	"strings"

	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/istiofilter"
)

// facts are what a namespace tells about the proxy in it.
type facts struct {
	pod   *istiofilter.Pod
	mode  string   // in words
	users []uint32 // that the proxy runs as, by the rules or its listeners
	notes []string // what could not be read, and what was done instead

	// served are the proxy's own ports on which somebody listens now.
	served []uint16

	ambient bool // the proxy is the node's ztunnel
	known   []istiofilter.Conn
	proxy   proxy
}

// Ports of Istio's sidecar, used only where the namespace's rules cannot be
// read and something listens there.
const (
	usualOutbound = 15001
	usualInbound  = 15006
	usualTunnel   = 15008
	usualHealth   = 15021
)

// reservedPorts are those of Istio's proxies and their agents: administration,
// debugging, metrics and health.
var reservedPorts = [...]uint16{15000, 15004, 15020, 15021, 15090}

// readFacts asks the namespace of a place for its rules, listeners, and ports.
func readFacts(p *place) (*facts, error) {
	var (
		redirects kernel.Redirects
		listeners []kernel.Listener
		rulesErr  error
		f         = &facts{pod: new(istiofilter.Pod)}
	)
	err := p.ns.Do(func() (err error) {
		if listeners, err = kernel.Listeners(); err != nil {
			return err
		}
		if f.pod.FirstEphemeral, f.pod.LastEphemeral, err = kernel.EphemeralPorts(); err != nil {
			return err
		}
		redirects, rulesErr = kernel.ReadRedirects()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", p, err)
	}
	if rulesErr != nil {
		redirects = f.guess(p, listeners)
		f.notef("the redirect rules could not be read (%v); taken from the listening ports", rulesErr)
	}
	for _, l := range p.usable() {
		i := istiofilter.Interface{Name: l.Name, Loopback: l.Loopback}
		for _, a := range l.Addrs {
			i.Addrs = append(i.Addrs, a.Addr())
		}
		f.pod.Interfaces = append(f.pod.Interfaces, i)
	}
	f.take(&redirects)
	f.pod.IPv4Only = rulesErr == nil && !redirects.IPv6()
	f.pod.Gateway = !f.pod.Sidecar() && p.isGateway()
	f.pod.Shared = f.pod.Gateway && p.pod != nil && p.pod.Host
	f.share(p, listeners)
	f.describe(redirects)
	return f, nil
}

// isGateway reports whether a proxy is all that the place is for.
func (p *place) isGateway() bool {
	return p.gateway || p.pod != nil && (p.pod.Role == pods.Gateway || p.pod.Role == pods.Waypoint)
}

func (f *facts) notef(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// take takes over what the rules say.
func (f *facts) take(r *kernel.Redirects) {
	f.ambient, f.users = r.Ambient, r.ProxyUIDs
	f.pod.Outbound, f.pod.Inbound, f.pod.DNS = r.Outbound, r.Inbound, r.DNS
	f.pod.Transparent = r.TProxy || r.Ambient
	for _, rule := range r.InboundRules {
		f.pod.InboundRules = append(f.pod.InboundRules, istiofilter.Rule(rule))
	}
	for _, rule := range r.OutboundRules {
		f.pod.OutboundRules = append(f.pod.OutboundRules, istiofilter.Rule(rule))
	}
	for _, m := range r.UpstreamMarks {
		f.pod.UpstreamMarks = append(f.pod.UpstreamMarks, istiofilter.Mark(m))
	}
	for _, m := range r.SelfMarks {
		f.pod.SelfMarks = append(f.pod.SelfMarks, istiofilter.Mark(m))
	}
}

// readConnections asks the namespace for the connections that are there
// already.
func (f *facts) readConnections(p *place) {
	if !f.pod.Sidecar() && !f.pod.Shared {
		return // nothing in the namespace makes the kernel keep track of them
	}
	all, err := p.connections()
	if err != nil {
		f.notef("connections older than the capture could not be read (%v); their legs are told by ports", err)
	}
	for _, c := range all {
		if c.Proto == kernel.ProtoTCP {
			f.known = append(f.known, istiofilter.Conn{Src: c.Src, Dst: c.Dst, ReplySrc: c.ReplySrc, Mark: c.Mark})
		}
	}
}

// guess takes the usual ports and marks if one user listens on both ports.
func (f *facts) guess(p *place, listeners []kernel.Listener) (r kernel.Redirects) {
	owners := make(map[uint16]uint32)
	for _, l := range listeners {
		if l.Proto == kernel.ProtoTCP {
			owners[l.Addr.Port()] = l.UID
		}
	}
	out, hasOut := owners[usualOutbound]
	in, hasIn := owners[usualInbound]
	if !hasOut || !hasIn || in != out {
		return r
	}
	r.Outbound, r.Inbound, r.ProxyUIDs = usualOutbound, usualInbound, []uint32{out}
	_, tunnel := owners[usualTunnel]
	_, health := owners[usualHealth]
	switch {
	case tunnel && !health:
		r.Ambient = true
		r.UpstreamMarks = []kernel.Mark{{Value: 0x539, Mask: 0xfff}, {Value: 0x111, Mask: 0xfff}}
		r.InboundRules = []kernel.Rule{{Redirect: true, NotPorts: []uint16{usualTunnel}}}
		return r
	case p.pod != nil && p.pod.Interception == "TPROXY":
		r.TProxy = true
		r.UpstreamMarks = []kernel.Mark{{Value: 0x539, Mask: 0xffffffff}}
		r.SelfMarks = []kernel.Mark{{Value: 0x53a, Mask: 0xffffffff}}
	default:
		r.InboundRules = []kernel.Rule{{Ports: []uint16{usualTunnel}}}
	}
	r.InboundRules = append(r.InboundRules, kernel.Rule{Ports: []uint16{15020, 15021, 15090}}, kernel.Rule{Redirect: true})
	return r
}

// share parts the listening ports into those of the proxy and those of others.
// The proxy is whoever listens on the port to which the rules redirect. Its
// agent runs as the same user, or, where that is root, in the same group.
func (f *facts) share(p *place, listeners []kernel.Listener) {
	inodes := make([]uint64, len(listeners))
	for i, l := range listeners {
		inodes[i] = l.Inode
	}
	if f.pod.Shared {
		p.pids = pidsIn(p.pod) // of all that is there
	}
	owners, err := p.owners(inodes)
	proxy := proxyOf(listeners, owners, f.isRedirect)
	if f.pod.Shared {
		proxy, listeners = f.partOf(p.pod, listeners, owners, err)
	}
	proxy.agents = proxy.agentsIn(p.pod)
	f.proxy = proxy
	if err != nil && !f.ambient && slices.Contains(proxy.users, 0) {
		f.notef("the proxy runs as root, and which listening ports are its own could not be found (%v); they are told by their numbers", err)
	}
	for _, l := range listeners {
		port, held := l.Addr.Port(), proxy.holds(l, owners)
		switch {
		case l.Proto != kernel.ProtoTCP || f.isRedirect(port):
		case f.ambient && held: // all of them are for traffic
		case (!held || f.pod.Shared) && !f.reserves(l):
			f.pod.Listening = appendOnce(f.pod.Listening, port)
		case l.Addr.Addr().IsLoopback():
			f.pod.LocalAdmin = appendOnce(f.pod.LocalAdmin, port)
		default:
			f.pod.Admin = appendOnce(f.pod.Admin, port)
		}
	}
	f.served = slices.Concat(f.pod.Admin, f.pod.LocalAdmin)
	if f.ambient || !f.pod.Sidecar() && !f.pod.Gateway {
		return
	}
	if f.pod.Shared {
		f.pod.Control = controlPorts(p.scanner.Proc, proxy.processes)
		return // the other ports are the node's
	}
	for _, port := range reservedPorts {
		known := slices.Contains(f.pod.Listening, port) || slices.Contains(f.pod.LocalAdmin, port)
		if !known && !f.isEphemeral(port) {
			f.pod.Admin = appendOnce(f.pod.Admin, port)
		}
	}
	f.pod.Control = controlPorts(p.scanner.Proc, proxy.processes)
}

// partOf is a proxy that shares its namespace with others, and the listeners
// that are its own.
func (f *facts) partOf(pod *pods.Pod, listeners []kernel.Listener, owners map[uint64]kernel.Process, err error) (p proxy, own []kernel.Listener) {
	p.processes = pidsIn(pod)
	for _, l := range listeners {
		if owner, ok := owners[l.Inode]; ok && slices.Contains(p.processes, owner.PID) {
			own = append(own, l)
			p.users = append(p.users, int(l.UID))
		}
	}
	if len(own) == 0 && err != nil {
		f.notef("which of the node's listening ports are the gateway's could not be found (%v)", err)
	}
	return p, own
}

func (f *facts) isRedirect(port uint16) bool {
	return port != 0 && (port == f.pod.Outbound || port == f.pod.Inbound)
}

func (f *facts) isEphemeral(port uint16) bool {
	return port >= f.pod.FirstEphemeral && port <= f.pod.LastEphemeral
}

// reserves reports whether a listener is Istio's by its port. In a sidecar's pod
// an app that is not root may have taken it all the same.
func (f *facts) reserves(l kernel.Listener) bool {
	return slices.Contains(reservedPorts[:], l.Addr.Port()) &&
		(f.pod.Gateway || f.pod.Sidecar() && !f.ambient && l.UID == 0)
}

func appendOnce(ports []uint16, port uint16) []uint16 {
	if slices.Contains(ports, port) {
		return ports
	}
	return append(ports, port)
}

// describe says in words how the proxy gets the pod's traffic.
func (f *facts) describe(r kernel.Redirects) {
	if !f.pod.Sidecar() {
		f.mode = "no proxy: nothing is redirected"
		return
	}
	parts := []string{"sidecar by REDIRECT"}
	switch {
	case f.ambient:
		parts[0] = "ambient: the node's ztunnel by REDIRECT"
	case r.TProxy:
		parts[0] = "sidecar by TPROXY"
	}
	for _, to := range []struct {
		what string
		port uint16
	}{{"outbound", f.pod.Outbound}, {"inbound", f.pod.Inbound}, {"DNS", f.pod.DNS}} {
		if to.port != 0 {
			parts = append(parts, fmt.Sprintf("%s to port %d", to.what, to.port))
		}
	}
	if len(r.ProxyUIDs) > 0 {
		parts = append(parts, fmt.Sprintf("proxy uid %s", join(r.ProxyUIDs)))
	}
	if len(f.pod.Listening) > 0 {
		parts = append(parts, fmt.Sprintf("app on port %s", join(f.pod.Listening)))
	}
	parts = append(parts, exceptions("outbound", f.pod.OutboundRules)...)
	parts = append(parts, exceptions("inbound", f.pod.InboundRules)...)
	if f.pod.IPv4Only {
		parts = append(parts, "IPv6 is left alone")
	}
	f.mode = strings.Join(parts, ", ")
}

func join[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}
