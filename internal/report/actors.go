package report

import (
	"cmp"
	"slices"

	"icap/internal/cause"
)

// An actor has a lifeline.
type actor struct {
	pod  string
	part cause.Part
}

// network is what is between two pods that were captured.
const network cause.Part = "network"

// between are who sent the packet of an event, and to whom. What both pods show
// went from the one to the other; what one shows went astray between them, or
// came from there.
func between(f *cause.Finding) (from, to actor) {
	from, to = parts(f)
	switch {
	case f.Twin != nil && f.Sent:
		_, to = parts(f.Twin)
	case f.Twin != nil:
		from, _ = parts(f.Twin)
	case f.OtherPod != "" && to.part == cause.Peer:
		to = beyond(f)
	case f.OtherPod != "" && from.part == cause.Peer:
		from = beyond(f)
	}
	return from, to
}

// beyond is whom an event concerns outside of its pod: the other pod for what
// is known to have come from or to it, else what is between.
func beyond(f *cause.Finding) actor {
	if f.Passage == cause.Arrived {
		return actor{f.OtherPod, cause.Pod}
	}
	return actor{part: network}
}

// parts are the two sides of an event as its own pod shows them.
func parts(f *cause.Finding) (from, to actor) {
	client, server := f.Parts(&f.Event)
	from, to = actor{f.Pod, client}, actor{f.Pod, server}
	if !f.ByClient {
		from, to = to, from
	}
	return from, to
}

// cast are those who take part in findings, from the left to the right: pods
// that call others ahead of these, and the network between them.
func cast(all []*cause.Finding) (actors []actor) {
	order := callers(all)
	for _, f := range all {
		from, to := between(f)
		for _, a := range []actor{from, to} {
			if !slices.Contains(actors, a) {
				actors = append(actors, a)
			}
		}
	}
	if len(order) > 0 && !slices.Contains(actors, actor{part: network}) {
		actors = append(actors, actor{part: network})
	}
	place := func(a actor) int {
		if a.part == network {
			return 1
		}
		return 2 * order[a.pod]
	}
	slices.SortStableFunc(actors, func(a, b actor) int {
		calls := len(order) > 0 && order[a.pod] == 0
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.pod, b.pod), cmp.Compare(rank(a.part, calls), rank(b.part, calls)))
	})
	return actors
}

// callers are how many pods call one another ahead of each pod; empty if no
// connection was seen in two pods.
func callers(all []*cause.Finding) map[string]int {
	calls := make(map[[2]string]bool)
	for _, f := range all {
		switch {
		case f.OtherPod == "":
		case f.Conn.Out:
			calls[[2]string{f.Pod, f.OtherPod}] = true
		case f.Conn.In:
			calls[[2]string{f.OtherPod, f.Pod}] = true
		}
	}
	order := make(map[string]int)
	for range calls { // or else they call each other in a circle
		for c := range calls {
			order[c[1]] = min(max(order[c[1]], order[c[0]]+1), len(calls))
		}
	}
	return order
}

// rank puts outside on the left and the app on the right; in a pod that calls
// another one the app is ahead of its proxy.
func rank(p cause.Part, calls bool) int {
	parts := []cause.Part{cause.Peer, cause.Client, cause.Proxy, cause.Pod, cause.App, cause.Server}
	if calls {
		parts = []cause.Part{cause.Peer, cause.Client, cause.App, cause.Pod, cause.Proxy, cause.Server}
	}
	return slices.Index(parts, p)
}
