package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A node is where to look for the networks of the cluster: the machine's proc
// file system and its root directory.
type node struct{ proc, root string }

// nodeAt is the machine whose proc file system is given, "" for /proc. The
// root of its first process is the machine's, also for an icap in a container.
func nodeAt(proc string) node {
	if proc == "" {
		proc = "/proc"
	}
	n := node{proc: proc, root: filepath.Join(proc, "1", "root")}
	if _, err := os.Stat(filepath.Join(n.root, "etc")); err != nil {
		n.root = "/"
	}
	return n
}

// networks are those of pods, or of services, and what told them.
type networks struct {
	nets   []netip.Prefix
	source string
}

// add adds the networks of a list with commas.
func (n *networks) add(list string) {
	for text := range strings.SplitSeq(list, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err == nil && !slices.Contains(n.nets, p.Masked()) {
			n.nets = append(n.nets, p.Masked())
		}
	}
}

// podNetworks are the networks of the cluster's pods, by the first of these
// that knows: the command lines of Kubernetes, the configuration of kube-proxy,
// flannel, the configuration of CNI, the routes. The last two may know no more
// than the pods of this node.
func (n node) podNetworks() networks {
	for _, find := range []func() networks{
		func() networks { return n.fromCommands("--cluster-cidr", "--pod-cidr", "--pod-network-cidr") },
		n.fromKubeProxy, n.fromFlannel, n.fromCNI, n.fromRoutes,
	} {
		if found := find(); len(found.nets) > 0 {
			return found
		}
	}
	return networks{}
}

// serviceNetworks are the networks of the cluster's services. Only the command
// lines of Kubernetes know them.
func (n node) serviceNetworks() networks {
	return n.fromCommands("--service-cluster-ip-range", "--service-cidr")
}

// fromFlannel reads what flannel has written for its CNI plugin.
func (n node) fromFlannel() (found networks) {
	const path = "run/flannel/subnet.env"
	text, err := os.ReadFile(filepath.Join(n.root, path))
	if err != nil {
		return found
	}
	for line := range strings.Lines(string(text)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
		case "FLANNEL_NETWORK", "FLANNEL_IPV6_NETWORK":
			found.add(value)
		}
	}
	found.source = "/" + path
	return found
}

// fromCNI reads the subnets in the configuration of CNI plugins.
func (n node) fromCNI() (found networks) {
	var by []string
	for _, dir := range []string{"etc/cni/net.d", "var/lib/rancher/k3s/agent/etc/cni/net.d"} {
		files, _ := filepath.Glob(filepath.Join(n.root, dir, "*.conf*"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			var config any
			if err != nil || json.Unmarshal(text, &config) != nil {
				continue
			}
			before := len(found.nets)
			addSubnets(config, &found)
			if len(found.nets) > before {
				by = append(by, filepath.Join("/", dir, filepath.Base(file)))
			}
		}
	}
	found.source = strings.Join(by, ", ")
	return found
}

// addSubnets finds "subnet" and "podCIDR", and lists of pools, wherever they
// are: each plugin has a place of its own for them.
func addSubnets(config any, found *networks) {
	switch c := config.(type) {
	case []any:
		for _, v := range c {
			addSubnets(v, found)
		}
	case map[string]any:
		for key, v := range c {
			text, isText := v.(string)
			list, isList := v.([]any)
			switch {
			case isText && (key == "subnet" || key == "podCIDR" || key == "clusterCIDR"):
				found.add(text)
			case isList && (key == "ipv4_pools" || key == "ipv6_pools"):
				for _, pool := range list {
					if text, ok := pool.(string); ok {
						found.add(text)
					}
				}
			default:
				addSubnets(v, found)
			}
		}
	}
}
