package main

import (
	"fmt"
	"slices"
	"strings"

	"icap/internal/kernel"
	"icap/istiofilter"
)

// facts are what a namespace tells about the proxy in it.
type facts struct {
	pod   *istiofilter.Pod
	mode  string   // in words
	users []uint32 // that the proxy runs as, by the rules or its listeners
	notes []string // what could not be read, and what was done instead
}

// Ports of Istio's sidecar, used only where the namespace's rules cannot be
// read and something listens there.
const (
	usualOutbound = 15001
	usualInbound  = 15006
)

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
		redirects = guessRedirects(listeners)
		f.notes = append(f.notes, fmt.Sprintf("the redirect rules could not be read (%v); taken from the listening ports", rulesErr))
	}
	for _, l := range p.usable() {
		i := istiofilter.Interface{Name: l.Name, Loopback: l.Loopback}
		for _, a := range l.Addrs {
			i.Addrs = append(i.Addrs, a.Addr())
		}
		f.pod.Interfaces = append(f.pod.Interfaces, i)
	}
	f.pod.Outbound, f.pod.Inbound, f.pod.DNS = redirects.Outbound, redirects.Inbound, redirects.DNS
	f.pod.Captured, f.pod.Uncaptured = redirects.IncludedInbound, redirects.ExcludedInbound
	f.pod.Transparent = redirects.TProxy
	f.users = redirects.ProxyUIDs
	f.pod.IPv4Only = rulesErr == nil && !redirects.IPv6()
	f.share(p, listeners)
	f.describe(redirects)
	return f, nil
}

// guessRedirects takes the usual ports if one user listens on both.
func guessRedirects(listeners []kernel.Listener) (r kernel.Redirects) {
	owners := make(map[uint16]uint32)
	for _, l := range listeners {
		if l.Proto == kernel.ProtoTCP {
			owners[l.Addr.Port()] = l.UID
		}
	}
	out, hasOut := owners[usualOutbound]
	in, hasIn := owners[usualInbound]
	if hasOut && hasIn && in == out {
		r.Outbound, r.Inbound, r.ProxyUIDs = usualOutbound, usualInbound, []uint32{out}
	}
	return r
}

// share parts the listening ports into those of the proxy and those of others.
// The proxy is whoever listens on the port to which the rules redirect; its
// agent runs as the same user.
func (f *facts) share(p *place, listeners []kernel.Listener) {
	inodes := make([]uint64, len(listeners))
	for i, l := range listeners {
		inodes[i] = l.Inode
	}
	owners := p.owners(inodes)
	var users []uint32
	var processes []int
	for _, l := range listeners {
		if port := l.Addr.Port(); l.Proto == kernel.ProtoTCP && (port == f.pod.Outbound || port == f.pod.Inbound) {
			users = append(users, l.UID)
			processes = append(processes, owners[l.Inode].PID)
		}
	}
	for _, l := range listeners {
		port := l.Addr.Port()
		if l.Proto != kernel.ProtoTCP || port == f.pod.Outbound || port == f.pod.Inbound {
			continue
		}
		pid := owners[l.Inode].PID
		// Root may be the app, too.
		byUser := l.UID != 0 && slices.Contains(users, l.UID)
		if byUser || pid != 0 && slices.Contains(processes, pid) {
			f.pod.Admin = appendOnce(f.pod.Admin, port)
		} else {
			f.pod.Listening = appendOnce(f.pod.Listening, port)
		}
	}
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
	how := "REDIRECT"
	if r.TProxy {
		how = "TPROXY"
	}
	parts := []string{"sidecar by " + how}
	if f.pod.Outbound != 0 {
		parts = append(parts, fmt.Sprintf("outbound to port %d", f.pod.Outbound))
	}
	if f.pod.Inbound != 0 {
		parts = append(parts, fmt.Sprintf("inbound to port %d", f.pod.Inbound))
	}
	if len(r.ProxyUIDs) > 0 {
		parts = append(parts, fmt.Sprintf("proxy uid %s", join(r.ProxyUIDs)))
	}
	if len(f.pod.Listening) > 0 {
		parts = append(parts, fmt.Sprintf("app on port %s", join(f.pod.Listening)))
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
