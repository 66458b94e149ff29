package main

import (
	"net/netip"
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
	if places[i].helper != nil {
		return unambiguous(slices.Clone(places[i].others), places)
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
	return unambiguous(names, places)
}

// unambiguous leaves out addresses that several pods have, as in namespaces of
// no cluster, and those of the pods that are captured: nobody else is meant by
// them there.
func unambiguous(names []pcapwriter.Name, places []*place) []pcapwriter.Name {
	taken := make(map[netip.Addr]int)
	for _, p := range places {
		for _, l := range p.links {
			for _, a := range l.Addrs {
				taken[a.Addr()] = 2
			}
		}
	}
	for _, n := range names {
		taken[n.Addr]++
	}
	return slices.DeleteFunc(names, func(n pcapwriter.Name) bool { return taken[n.Addr] > 1 })
}

// isPlace reports whether a pod is captured.
func isPlace(p *pods.Pod, places []*place) bool {
	return slices.ContainsFunc(places, func(q *place) bool { return q.ns.ID().Inode == p.Inode })
}
