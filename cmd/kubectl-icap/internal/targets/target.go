package targets

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Kind is a kind of object that stands for pods.
type Kind string

// The kinds of objects, by their names in full.
const (
	Pod         Kind = "pod"
	Deployment  Kind = "deployment"
	StatefulSet Kind = "statefulset"
	DaemonSet   Kind = "daemonset"
	ReplicaSet  Kind = "replicaset"
	Job         Kind = "job"
	Service     Kind = "service"
	Gateway     Kind = "gateway" // of the Gateway API, or of Istio
)

// kinds are the names that kubectl takes for them.
var kinds = map[string]Kind{
	"pod": Pod, "pods": Pod, "po": Pod,
	"deploy": Deployment, "deployment": Deployment, "deployments": Deployment, "deployments.apps": Deployment,
	"sts": StatefulSet, "statefulset": StatefulSet, "statefulsets": StatefulSet, "statefulsets.apps": StatefulSet,
	"ds": DaemonSet, "daemonset": DaemonSet, "daemonsets": DaemonSet, "daemonsets.apps": DaemonSet,
	"rs": ReplicaSet, "replicaset": ReplicaSet, "replicasets": ReplicaSet, "replicasets.apps": ReplicaSet,
	"job": Job, "jobs": Job, "jobs.batch": Job,
	"svc": Service, "service": Service, "services": Service,
	"gateway": Gateway, "gateways": Gateway, "gtw": Gateway, "gw": Gateway,
}

// Prefixes are the short names that may stand in front of a name, in order.
func Prefixes() []string {
	return []string{"deploy/", "ds/", "gateway/", "job/", "pod/", "rs/", "sts/", "svc/"}
}

// A Target is one object that stands for pods.
type Target struct {
	Kind      Kind
	Namespace string
	Name      string
}

// String is how the target can be written.
func (t Target) String() string { return t.Namespace + "/" + string(t.Kind) + "/" + t.Name }

// Parse reads a target of one of the forms
//
//	NAME  NAMESPACE/NAME  KIND/NAME  NAMESPACE/KIND/NAME
//
// where the kind and the namespace that are not said are those given. It does
// not ask whether there is such a thing.
func Parse(text, namespace string, kind Kind) (Target, error) {
	t := Target{Kind: kind, Namespace: namespace}
	parts := strings.Split(text, "/")
	switch k, isKind := kinds[strings.ToLower(parts[0])]; {
	case len(parts) == 1:
		t.Name = parts[0]
	case len(parts) == 2 && isKind:
		t.Kind, t.Name = k, parts[1]
	case len(parts) == 2:
		t.Namespace, t.Name = parts[0], parts[1]
	case len(parts) == 3:
		if k, isKind = kinds[strings.ToLower(parts[1])]; !isKind {
			return Target{}, fmt.Errorf("target %q: %q is none of %s", text, parts[1], known())
		}
		t.Namespace, t.Kind, t.Name = parts[0], k, parts[2]
	default:
		return Target{}, fmt.Errorf("target %q: not POD, NAMESPACE/POD, KIND/NAME or NAMESPACE/KIND/NAME", text)
	}
	for _, name := range []string{t.Namespace, t.Name} {
		if !isName(name) {
			return Target{}, fmt.Errorf("target %q: %q cannot be the name of anything; a kind is one of %s", text, name, known())
		}
	}
	return t, nil
}

// known lists the kinds.
func known() string {
	all := slices.Compact(slices.Sorted(maps.Values(kinds)))
	names := make([]string, len(all))
	for i, k := range all {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// isName reports whether a text is a DNS subdomain of RFC 1123, as names of
// objects are.
func isName(s string) bool {
	const longest = 253
	if s == "" || len(s) > longest || strings.Trim(s, "-.") != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}
