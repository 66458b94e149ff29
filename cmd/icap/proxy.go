package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/istiofilter"
)

// A proxy is who holds the sockets that the rules redirect to.
type proxy struct {
	users, groups []int
	processes     []int
	// agents are the processes beside it that get its configuration.
	agents []int
}

// agentsIn finds the agents of the proxy in its pod.
func (p proxy) agentsIn(pod *pods.Pod) (agents []int) {
	if pod == nil {
		return nil
	}
	for _, q := range pod.Processes {
		if q.Command == "pilot-agent" && slices.Contains(p.users, q.UID) && !slices.Contains(p.processes, q.PID) {
			agents = append(agents, q.PID)
		}
	}
	return agents
}

// proxyOf finds the proxy of a pod by its listeners.
func proxyOf(listeners []kernel.Listener, owners map[uint64]kernel.Process, redirect func(uint16) bool) (p proxy) {
	for _, l := range listeners {
		if l.Proto != kernel.ProtoTCP || !redirect(l.Addr.Port()) {
			continue
		}
		p.users = append(p.users, int(l.UID))
		if owner, ok := owners[l.Inode]; ok {
			p.processes = append(p.processes, owner.PID)
			p.groups = append(p.groups, owner.GID)
		}
	}
	return p
}

// holds reports whether a socket is the proxy's or its agent's. Root, and
// root's group, may be the app's, too.
func (p proxy) holds(l kernel.Listener, owners map[uint64]kernel.Process) bool {
	if l.UID != 0 && slices.Contains(p.users, int(l.UID)) {
		return true
	}
	owner, ok := owners[l.Inode]
	return ok && (slices.Contains(p.processes, owner.PID) || owner.GID > 0 && slices.Contains(p.groups, owner.GID))
}

// usualControl are the ports of istiod.
var usualControl = [...]uint16{15010, 15012}

// controlPorts are the ports of the control plane that the proxy's agent
// connects to: those of Istio, and those that its environment names.
func controlPorts(proc string, pids []int) []uint16 {
	ports := slices.Clone(usualControl[:])
	if proc == "" {
		proc = "/proc"
	}
	for _, pid := range pids {
		env, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "environ"))
		if err != nil {
			continue // the usual ports have to do
		}
		for _, port := range portsInEnviron(string(env)) {
			ports = appendOnce(ports, port)
		}
	}
	return ports
}

// portsInEnviron reads CA_ADDR and the discovery address in PROXY_CONFIG of an
// environment, in which a zero byte ends each variable.
func portsInEnviron(env string) (ports []uint16) {
	for variable := range strings.SplitSeq(env, "\x00") {
		name, address, _ := strings.Cut(variable, "=")
		switch name {
		case "CA_ADDR":
		case "PROXY_CONFIG":
			var config struct{ DiscoveryAddress string }
			if json.Unmarshal([]byte(address), &config) != nil {
				continue
			}
			address = config.DiscoveryAddress
		default:
			continue
		}
		_, text, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		if port, err := strconv.ParseUint(text, 10, 16); err == nil && port > 0 {
			ports = append(ports, uint16(port))
		}
	}
	return ports
}

// exceptions says which connections the rules leave alone, or take where they
// do not take all. What is about lo is how the rules work, and no exception.
func exceptions(direction string, rules []istiofilter.Rule) (all []string) {
	var spared, taken conditions
	everything := false
	for i := range rules {
		r := &rules[i]
		switch {
		case slices.Contains(r.Links, "lo") || r.Version == 6 || r.Redirect && slices.Contains(r.Ports, 53):
		case r.Redirect:
			spared.ports = append(spared.ports, r.NotPorts...)
			everything = !taken.add(r) || everything
		default:
			spared.add(r)
		}
	}
	if text := taken.String(); text != "" && !everything {
		all = append(all, fmt.Sprintf("only %s %s", direction, text))
	}
	if text := spared.String(); text != "" {
		all = append(all, fmt.Sprintf("not %s %s", direction, text))
	}
	return all
}

// conditions are what rules ask for, any of which is enough.
type conditions struct {
	ports  []uint16
	others []string
}

// add adds what a rule asks for, and reports whether it is anything.
func (c *conditions) add(r *istiofilter.Rule) bool {
	var words []string
	for _, n := range r.Peer {
		if !n.Addr().IsLoopback() {
			words = append(words, hostText(n))
		}
	}
	for _, n := range r.NotPeer {
		if !n.Addr().IsLoopback() {
			words = append(words, "but "+hostText(n))
		}
	}
	for _, l := range r.Links {
		words = append(words, "on "+l)
	}
	for _, l := range r.NotLinks {
		words = append(words, "but on "+l)
	}
	switch {
	case len(words) == 0:
		c.ports = append(c.ports, r.Ports...)
	case len(r.Ports) > 0:
		words = append(words, "port "+join(r.Ports))
		fallthrough
	default:
		c.others = append(c.others, strings.Join(words, " "))
	}
	return len(words)+len(r.Ports) > 0
}

func (c *conditions) String() string {
	words := c.others
	if len(c.ports) > 0 {
		words = append([]string{"port " + join(sorted(c.ports...))}, words...)
	}
	return strings.Join(words, ", ")
}

// hostText is an address as one would write it.
func hostText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}
