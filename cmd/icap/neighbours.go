package main

import (
	"net/netip"
	"slices"

	"icap/internal/pods"
	"icap/pcapwriter"
)

// neighbours name the addresses of the node's other pods, with which a pod that
// is captured by its legs may talk. What cannot be found is left out: a name is
// a convenience. So is an address that several have, as it can be in namespaces
// that have nothing to do with each other.
func neighbours(places []*place) []pcapwriter.Name {
	i := slices.IndexFunc(places, func(p *place) bool { return p.about != "" })
	if i < 0 {
		return nil
	}
	scanner := places[i].scanner
	all, _ := scanner.Scan()
	titles := make(map[netip.Addr][]string)
	for _, p := range places {
		for _, l := range p.links {
			for _, a := range l.Addrs {
				titles[a.Addr()] = []string{"", ""} // it has its name
			}
		}
	}
	for _, p := range all {
		if isPlace(&p, places) || p.UID == "" && p.Netns == "" {
			continue
		}
		for _, a := range scanner.Addrs(&p) {
			titles[a] = append(titles[a], hostName(p.Title()))
		}
	}
	var names []pcapwriter.Name
	for a, t := range titles {
		if len(t) == 1 {
			names = append(names, pcapwriter.Name{Addr: a, Names: t})
		}
	}
	slices.SortFunc(names, func(a, b pcapwriter.Name) int { return a.Addr.Compare(b.Addr) })
	return names
}

// isPlace reports whether a pod is captured.
func isPlace(p *pods.Pod, places []*place) bool {
	return slices.ContainsFunc(places, func(q *place) bool { return q.ns.ID().Inode == p.Inode })
}
