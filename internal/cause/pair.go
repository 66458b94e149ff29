package cause

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"sort"

	"icap/internal/flow"
	"icap/istiofilter"
)

// A Stretch is a connection on a leg of a pod.
type Stretch struct {
	*flow.Conn
	Where
	Pod string
}

// A Pair is two connections that may carry the same requests through a proxy:
// the one that the proxy accepted, and the one that it made.
type Pair struct {
	In, Out *Stretch
	// Sure is Certain where there was nobody else on either side for as long
	// as the two were there. Likelihood is then 1; else it shares 1 among all
	// that could be meant, of which only the better ones are told.
	Sure       Certainty
	Likelihood float64
	Evidence   string
}

// Limits of what is compared and told.
const (
	maxCandidates = 64   // the nearest in time, for each connection
	maxTold       = 3    // the best, for each connection
	minLikelihood = 0.05 // what is less likely is not told
)

// Pairs finds for each connection that a proxy accepted the one that it made
// for it. They come in the order of all.
//
// A proxy may keep connections to use them again, or answer by itself: what is
// likely is no more than that.
func Pairs(all []*Stretch) []Pair {
	var pairs []Pair
	sides := arrange(all)
	for _, in := range all {
		for _, way := range []bool{true, false} {
			accepted, made := in.role(way, sides.own[in.Pod])
			if !accepted || made {
				continue
			}
			pairs = append(pairs, sides.out[side{in.Pod, way}].of(in, sides.in[side{in.Pod, way}])...)
		}
	}
	return pairs
}

// A side is one direction through the proxy of a pod.
type side struct {
	pod     string
	inbound bool
}

// sides are the connections of all pods, sorted.
type sides struct {
	in, out map[side]*era
	own     map[string]map[netip.Addr]bool // the addresses of each pod
}

// arrange puts connections where they are looked for.
func arrange(all []*Stretch) sides {
	s := sides{make(map[side]*era), make(map[side]*era), make(map[string]map[netip.Addr]bool)}
	for _, c := range all {
		if s.own[c.Pod] == nil {
			s.own[c.Pod] = make(map[netip.Addr]bool)
		}
		switch {
		case !c.Known:
		case c.Leg == istiofilter.InboundApp:
			s.own[c.Pod][c.Server.Addr()] = true
		case c.Leg == istiofilter.OutboundApp, c.Leg == istiofilter.OutboundWire:
			s.own[c.Pod][c.Client.Addr()] = true
		}
	}
	for _, c := range all {
		for _, way := range []bool{true, false} {
			at := side{c.Pod, way}
			accepted, made := c.role(way, s.own[c.Pod])
			for _, put := range []struct {
				is bool
				to map[side]*era
			}{{accepted, s.in}, {made, s.out}} {
				if put.to[at] == nil {
					put.to[at] = new(era)
				}
				if put.is {
					put.to[at].add(c)
				}
			}
		}
	}
	for _, m := range []map[side]*era{s.in, s.out} {
		for _, e := range m {
			e.sort()
		}
	}
	return s
}

// role says whether the proxy accepted a connection, or made it, in a
// direction.
func (c *Stretch) role(inbound bool, own map[netip.Addr]bool) (accepted, made bool) {
	if !c.Known || c.Proto != flow.ProtoTCP {
		return false, false
	}
	switch c.Leg {
	case istiofilter.InboundWire:
		return inbound, false
	case istiofilter.InboundApp:
		return false, inbound
	case istiofilter.OutboundApp:
		return !inbound, false
	case istiofilter.OutboundWire:
		return false, !inbound
	case istiofilter.SelfWire: // the proxy made it, and accepted it, too
		return inbound, !inbound
	case istiofilter.HBONE:
		return inbound && !own[c.Client.Addr()], !inbound && own[c.Client.Addr()]
	}
	return false, false
}

// An era is connections in the order of their beginnings, and when they ended.
type era struct {
	conns []*Stretch
	ends  []int64
}

func (e *era) add(c *Stretch) {
	e.conns = append(e.conns, c)
	e.ends = append(e.ends, c.Last)
}

func (e *era) sort() {
	slices.SortStableFunc(e.conns, func(a, b *Stretch) int { return cmp.Compare(a.Start, b.Start) })
	slices.Sort(e.ends)
}

// during counts the connections that were there while another one was.
func (e *era) during(c *Stretch) int {
	began := sort.Search(len(e.conns), func(i int) bool { return e.conns[i].Start > c.Last })
	ended := sort.Search(len(e.ends), func(i int) bool { return e.ends[i] >= c.Start })
	return began - ended
}

// near are the connections that were there while another one was, those that
// began soonest after it first.
func (e *era) near(c *Stretch) []*Stretch {
	at := sort.Search(len(e.conns), func(i int) bool { return e.conns[i].Start >= c.Start })
	from, to := max(0, at-maxCandidates/2), min(len(e.conns), at+maxCandidates)
	var found []*Stretch
	for _, o := range slices.Concat(e.conns[at:to], e.conns[from:at]) {
		if o.Start <= c.Last && o.Last >= c.Start {
			found = append(found, o)
		}
	}
	return found
}

// of finds the partners of one connection. others are those that the proxy
// accepted in the same direction.
func (e *era) of(in *Stretch, others *era) []Pair {
	var (
		pairs []Pair
		total float64
	)
	for _, out := range e.near(in) {
		score, why := fits(in, out)
		if score == 0 {
			continue
		}
		total += score
		pairs = append(pairs, Pair{In: in, Out: out, Sure: Likely, Likelihood: score, Evidence: why})
	}
	if len(pairs) == 1 && e.during(in) == 1 && others.during(pairs[0].Out) == 1 && pairs[0].begun() {
		pairs[0].Sure, pairs[0].Likelihood = Certain, 1
		pairs[0].Evidence = "no other connection on either side meanwhile; " + pairs[0].Evidence
		return pairs
	}
	for i := range pairs {
		// Others may have a claim on it, too.
		rivals := 0.0
		for _, rival := range others.near(pairs[i].Out) {
			score, _ := fits(rival, pairs[i].Out)
			rivals += score
		}
		pairs[i].Likelihood /= max(total, rivals)
		if len(pairs) == 1 {
			// Nothing was compared; it could as well be none at all.
			pairs[i].Likelihood = min(pairs[i].Likelihood, 0.99)
		}
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int { return cmp.Compare(b.Likelihood, a.Likelihood) })
	pairs = slices.DeleteFunc(pairs, func(p Pair) bool { return p.Likelihood < minLikelihood })
	return pairs[:min(len(pairs), maxTold)]
}

// begun reports whether the capture saw both begin, in the right order.
func (p *Pair) begun() bool {
	return !p.In.Guessed && !p.Out.Guessed && p.Out.Start >= p.In.Start
}

// fits says how well two connections fit each other; 0 is not at all.
func fits(in, out *Stretch) (score float64, why string) {
	const ms = 1e6
	score = 1
	app, wire := in, out
	if in.Leg != istiofilter.OutboundApp {
		app, wire = out, in
	}
	switch {
	case app.Leg == istiofilter.InboundApp && wire.Leg == istiofilter.InboundWire && app.Server.Port() != wire.Server.Port():
		return 0, ""
	case app.Leg == istiofilter.InboundApp && !app.Client.Addr().IsLoopback() && app.Client.Addr() != sidecar6 &&
		app.Client.Addr() != wire.Client.Addr():
		return 0, "" // a proxy that keeps the client's address keeps it
	case app.Leg == istiofilter.OutboundApp && app.Server == wire.Server:
		score *= 20
		why = "same destination; "
	}
	after := float64(out.Start-in.Start) / ms
	if after < 0 {
		score *= 0.02
		why += fmt.Sprintf("began %.1f ms before it, and may have been used again", -after)
	} else {
		score /= 1 + after
		why += fmt.Sprintf("began %.1f ms later", after)
	}
	ended := math.Abs(float64(out.Last-in.Last)) / ms
	score /= 1 + ended/5
	score *= alike(app.Up.Payload, wire.Up.Payload, wire.Speaks.Protocol) * alike(app.Down.Payload, wire.Down.Payload, wire.Speaks.Protocol)
	why += fmt.Sprintf(", ended %.1f ms apart, %d/%d and %d/%d bytes", ended, in.Up.Payload, in.Down.Payload, out.Up.Payload, out.Down.Payload)
	return score, why
}

// sidecar6 is from where a sidecar calls its app over IPv6.
var sidecar6 = netip.AddrFrom16([16]byte{15: 6})

// alike compares how much was said on the two sides of a proxy, which may add
// headers, and whose TLS adds a handshake and some in every record. Bytes that
// are passed on as they are stay equal: who differs by as little as a header
// then is somebody else, however near in time.
func alike(app, wire uint64, protocol flow.Protocol) float64 {
	const handshake, header = 8192, 512
	a, w := float64(app), float64(wire)
	if !protocol.Clear() && protocol != flow.Unheard {
		switch {
		case w < a:
			return 0.01
		case w-a <= handshake:
			return 1
		}
		w -= handshake
	}
	if a == w {
		return 1
	}
	return 0.02 * math.Pow((math.Min(a, w)+header)/(math.Max(a, w)+header), 8)
}
