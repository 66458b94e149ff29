package main

import (
	"slices"

	"icap/internal/pods"
	"icap/pcapwriter"
)

// neighbours name the addresses of the node's other pods, with which a pod that
// is captured by its legs may talk. What cannot be found is left out: a name is
// a convenience.
func neighbours(places []*place) []pcapwriter.Name {
	i := slices.IndexFunc(places, func(p *place) bool { return p.about != "" })
	if i < 0 {
		return nil
	}
	scanner := places[i].scanner
	all, _ := scanner.Scan()
	var names []pcapwriter.Name
	for _, p := range all {
		if isPlace(&p, places) || p.UID == "" && p.Netns == "" {
			continue
		}
		for _, a := range scanner.Addrs(&p) {
			names = append(names, pcapwriter.Name{Addr: a, Names: []string{hostName(p.Title())}})
		}
	}
	return names
}

// isPlace reports whether a pod is captured.
func isPlace(p *pods.Pod, places []*place) bool {
	return slices.ContainsFunc(places, func(q *place) bool { return q.ns.ID().Inode == p.Inode })
}
