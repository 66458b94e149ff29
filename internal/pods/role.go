package pods

import (
	"path"
	"slices"
	"strings"
)

// A Role is what a pod is for in Istio, as far as its processes and its
// listening ports tell.
type Role int

const (
	Plain    Role = iota // nothing of Istio runs in it
	Sidecar              // an app with a proxy beside it
	Gateway              // a proxy at the edge of the mesh: "router" in Istio
	Waypoint             // the proxy of a namespace in ambient mode
	Ztunnel              // the proxy of a node in ambient mode
	Istiod               // the control plane
)

// String is the word for the role in messages.
func (r Role) String() string {
	switch r {
	case Sidecar:
		return "sidecar"
	case Gateway:
		return "gateway"
	case Waypoint:
		return "waypoint"
	case Ztunnel:
		return "ztunnel"
	case Istiod:
		return "istiod"
	}
	return "plain"
}

// nodeRoles are the types of Istio's proxies: the word after "pilot-agent
// proxy", and the first part of Envoy's service node.
var nodeRoles = map[string]Role{
	"sidecar": Sidecar, "router": Gateway, "waypoint": Waypoint, "ztunnel": Ztunnel,
}

// isIstio reports whether a command is one of Istio's programs, whose command
// line and environment are worth reading.
func isIstio(command string) bool {
	switch command {
	case "pilot-agent", "envoy", "ztunnel", "pilot-discovery":
		return true
	}
	return false
}

// A claim is what a process of Istio says about its pod.
type claim struct {
	podName
	role         Role
	workload     string
	interception string
}

// complete takes over what is not known yet.
func (c *claim) complete(d claim) {
	c.name = orDefault(c.name, d.name)
	c.namespace = orDefault(c.namespace, d.namespace)
	c.workload = orDefault(c.workload, d.workload)
	c.interception = orDefault(c.interception, d.interception)
	if c.role == Plain {
		c.role = d.role
	}
}

// parseCommandLine reads the content of /proc/PID/cmdline, in which a zero
// byte ends each argument:
//
//	pilot-agent proxy sidecar --domain shop.svc.cluster.local ...
//	envoy --service-node router~10.0.0.7~gw-0.edge~edge.svc.cluster.local ...
//	ztunnel proxy ztunnel
//	pilot-discovery discovery ...
func parseCommandLine(cmdline string) claim {
	args := strings.Split(strings.TrimSuffix(cmdline, "\x00"), "\x00")
	var c claim
	switch path.Base(args[0]) {
	case "ztunnel":
		c.role = Ztunnel
	case "pilot-discovery":
		c.role = Istiod
	case "pilot-agent":
		if len(args) > 2 && args[1] == "proxy" {
			c.role = nodeRoles[args[2]]
		}
		c.namespace = domainNamespace(flagValue(args, "--domain"))
	case "envoy":
		c = parseServiceNode(flagValue(args, "--service-node"))
	}
	return c
}

// flagValue returns the value of a flag: "--flag value" or "--flag=value".
func flagValue(args []string, flag string) string {
	for i, a := range args {
		if a == flag && i+1 < len(args) {
			return args[i+1]
		}
		if v, ok := strings.CutPrefix(a, flag+"="); ok {
			return v
		}
	}
	return ""
}

// domainNamespace is the namespace in "NAMESPACE.svc.cluster.local".
func domainNamespace(domain string) string {
	ns, rest, _ := strings.Cut(domain, ".")
	if !validNamespace(ns) || rest != "svc" && !strings.HasPrefix(rest, "svc.") {
		return ""
	}
	return ns
}

// parseServiceNode reads "TYPE~ADDRESS~POD.NAMESPACE~DOMAIN".
func parseServiceNode(node string) claim {
	parts := strings.Split(node, "~")
	if len(parts) != 4 {
		return claim{}
	}
	c := claim{role: nodeRoles[parts[0]]}
	id := parts[2]
	dot := strings.LastIndexByte(id, '.')
	if dot < 0 || !validPodName(id[:dot]) || !validNamespace(id[dot+1:]) {
		return c
	}
	c.podName = podName{namespace: id[dot+1:], name: id[:dot]}
	return c
}

// Ports that Istio's programs listen on unless they are told otherwise.
const (
	portOutbound   = 15001
	portInbound    = 15006
	portHBONE      = 15008
	portXDS        = 15012
	portMonitoring = 15014
	portWebhook    = 15017
	portHealth     = 15021
	portPrometheus = 15090
)

// RoleOfPorts guesses a role from the TCP ports that are listened on in a pod.
// In a pod of the ambient mode the node's ztunnel listens on 15001, 15006 and
// 15008, but not where Envoy has its health and its metrics: such a pod is
// plain.
func RoleOfPorts(ports []uint16) Role {
	on := func(all ...uint16) bool {
		return !slices.ContainsFunc(all, func(p uint16) bool { return !slices.Contains(ports, p) })
	}
	envoy := on(portHealth) || on(portPrometheus)
	switch {
	case on(portXDS, portMonitoring, portWebhook):
		return Istiod
	case on(portOutbound, portInbound) && envoy:
		return Sidecar
	case on(portHBONE) && envoy:
		return Waypoint
	case on(portHealth, portPrometheus):
		return Gateway
	}
	return Plain
}
