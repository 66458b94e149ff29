package place

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// byNode makes a unit of all pods of a node.
func byNode(pods []*corev1.Pod) []Unit {
	nodes := make(map[string][]*corev1.Pod)
	for _, p := range pods {
		nodes[p.Spec.NodeName] = append(nodes[p.Spec.NodeName], p)
	}
	var units []Unit
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		units = append(units, Unit{name, name, nodes[name]})
	}
	return units
}

// byPod makes a unit of each pod.
func byPod(pods []*corev1.Pod) (units []Unit) {
	for _, p := range pods {
		units = append(units, Unit{p.Name + "." + p.Namespace, p.Spec.NodeName, []*corev1.Pod{p}})
	}
	return units
}
