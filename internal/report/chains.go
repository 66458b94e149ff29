package report

import (
	"slices"

	"icap/internal/cause"
	"icap/internal/ends"
	"icap/internal/flow"
	"icap/internal/sight"
)

// stretchesOf are connections with their legs and pods.
func stretchesOf(all []*flow.Conn) []*cause.Stretch {
	stretches := make([]*cause.Stretch, len(all))
	for i, c := range all {
		stretches[i] = &cause.Stretch{Conn: c, Where: sight.Where(c.Place), Pod: podName(c)}
	}
	return stretches
}

// joins are the connections of which both ends were captured, each in a pod of
// its own, by the end of the client.
type joins map[*flow.Conn]ends.Join

// joinsOf joins connections, which come in the order of their beginning.
func joinsOf(all []*cause.Stretch) joins {
	var m ends.Matcher
	for _, s := range all {
		if s.Crosses(s.Conn) {
			m.Add(ends.End{Conn: s.Conn, Pod: endPod(s.Conn)})
		}
	}
	found := make(joins)
	for _, s := range all {
		if j, ok := m.Join(s.Conn); ok && s.Conn == j.Client.Conn {
			found[s.Conn] = j
		}
	}
	return found
}

// of is the join that a pair stands for; not ok if a proxy is between the two.
func (js joins) of(p *cause.Pair) (j ends.Join, ok bool) {
	j, ok = js[p.In.Conn]
	return j, ok && j.Server.Conn == p.Out.Conn
}

// likelyJoin is how likely a join is that is not certain.
const likelyJoin = 0.95

// among puts joins among the pairs of connections that proxies have made for
// others, in the order of all.
func (js joins) among(all []*cause.Stretch, pairs []cause.Pair) []cause.Pair {
	if len(js) == 0 {
		return pairs
	}
	stretches, place := make(map[*flow.Conn]*cause.Stretch), make(map[*flow.Conn]int)
	for i, s := range all {
		stretches[s.Conn], place[s.Conn] = s, i
	}
	for _, s := range all {
		if j, ok := js[s.Conn]; ok {
			p := cause.Pair{In: s, Out: stretches[j.Server.Conn], Sure: cause.Likely, Likelihood: likelyJoin, Evidence: j.Evidence}
			if j.Certain {
				p.Sure, p.Likelihood = cause.Certain, 1
			}
			pairs = append(pairs, p)
		}
	}
	slices.SortStableFunc(pairs, func(a, b cause.Pair) int { return place[a.In.Conn] - place[b.In.Conn] })
	return pairs
}

// A chain is pairs that carry the same on: each goes on where the one before
// ends.
type chain []cause.Pair

// maxLinks is how many pairs a chain has at most.
const maxLinks = 32

// chains are those that lead through several pods, each as far as the likeliest
// pairs lead, in the order of their beginning.
func (js joins) chains(pairs []cause.Pair) (all []chain) {
	if len(js) == 0 {
		return nil
	}
	next, follows := make(map[*flow.Conn]cause.Pair), make(map[*flow.Conn]bool)
	for _, p := range pairs { // the likeliest of each connection first
		if _, ok := next[p.In.Conn]; !ok {
			next[p.In.Conn] = p
			follows[p.Out.Conn] = true
		}
	}
	begun := make(map[*flow.Conn]bool)
	for _, p := range pairs {
		if follows[p.In.Conn] || begun[p.In.Conn] {
			continue
		}
		begun[p.In.Conn] = true
		var c chain
		joined := false
		for p, ok := next[p.In.Conn]; ok && len(c) < maxLinks; p, ok = next[p.Out.Conn] {
			_, join := js.of(&p)
			joined = joined || join
			c = append(c, p)
		}
		if joined {
			all = append(all, c)
		}
	}
	return all
}

// sure is how sure all pairs together are.
func (c chain) sure() (sure cause.Certainty, likelihood float64) {
	sure, likelihood = cause.Certain, 1
	for _, p := range c {
		if p.Sure != cause.Certain {
			sure = cause.Likely
		}
		likelihood *= p.Likelihood
	}
	return sure, likelihood
}

// conns are the connections of a chain.
func (c chain) conns() []*flow.Conn {
	all := []*flow.Conn{c[0].In.Conn}
	for _, p := range c {
		all = append(all, p.Out.Conn)
	}
	return all
}
