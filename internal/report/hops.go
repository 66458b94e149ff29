package report

import (
	"slices"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/sight"
	"icap/istiofilter"
)

// A span is a time in nanoseconds, if it is known.
type span struct {
	ns    int64
	known bool
}

// until is the time from one moment to another.
func (s span) until(to span) span {
	if !s.known || !to.known {
		return span{}
	}
	return span{to.ns - s.ns, true}
}

// A hop is what one part of a chain did, and how long it took.
type hop struct {
	at  string // app, proxy or network
	pod string // "" for the network
	of  *flow.Conn
	// connect is from a SYN to its answer, for the network what both were on
	// their way together; request is from the first byte of the request coming
	// in to its going on, response likewise. Who asks first, and who answers at
	// last, has only a response: from the request to it.
	connect, request, response span
	// halved says that the network's times are half of what both ways took
	// together, since two clocks have measured its ends.
	halved bool
}

// A passing is when the first byte of a request and of its response went by.
type passing struct{ request, response span }

// hops are those of a chain: who asks, and waits for all that follows; what is
// between; and who answers.
func (js joins) hops(c chain) []hop {
	conns, seen := c.conns(), js.passings(c)
	first, last := conns[0], conns[len(c)]
	hops := []hop{{at: asking(first), pod: podName(first), of: first, connect: connecting(first), response: seen[0].request.until(seen[0].response)}}
	for i := range c {
		from := conns[i]
		h := hop{at: proxy, pod: podName(from), of: from, connect: connecting(from),
			request: seen[i].request.until(seen[i+1].request), response: seen[i+1].response.until(seen[i].response)}
		if j, ok := js.of(&c[i]); ok {
			h.at, h.pod = "network", ""
			h.connect.ns, h.connect.known = j.RoundTrip()
			h.halve(j.OneClock())
		}
		hops = append(hops, h)
	}
	return append(hops, hop{at: answering(last), pod: podName(last), of: last, connect: connecting(last),
		response: seen[len(c)].request.until(seen[len(c)].response)})
}

// Parts that ask and answer.
const app, proxy = string(cause.App), string(cause.Proxy)

// asking is who asks on a connection that nothing is known to be ahead of.
func asking(c *flow.Conn) string {
	switch sight.Where(c.Place).Leg {
	case istiofilter.OutboundWire, istiofilter.GatewayUpstream, istiofilter.HBONE:
		return proxy
	}
	return app
}

// answering is who answers on a connection that nothing is known to follow.
func answering(c *flow.Conn) string {
	switch sight.Where(c.Place).Leg {
	case istiofilter.InboundWire, istiofilter.GatewayDownstream, istiofilter.HBONE:
		return proxy
	}
	return app
}

// halve takes half of both ways for one, unless one clock measured both ends.
func (h *hop) halve(oneClock bool) {
	if oneClock {
		return
	}
	h.halved = true
	if !h.request.known || !h.response.known {
		h.request, h.response = span{}, span{}
		return
	}
	half := (h.request.ns + h.response.ns) / 2
	h.request.ns, h.response.ns = half, half
}

// connecting is how long a SYN was without an answer.
func connecting(c *flow.Conn) span {
	n := c.Numbers
	return span{n.Answered - n.Asked, n.Asked != 0 && n.Answered != 0}
}

// passings follows a request back from where it ended, and its response from
// there to where the request came from. What a proxy sent on is what it last got
// before that; at the two ends of a connection it is the same byte.
func (js joins) passings(c chain) []passing {
	conns := c.conns()
	seen := make([]passing, len(conns))
	last := len(conns) - 1
	request, up := first(conns[last].Up.Marks)
	response, down := first(conns[last].Down.Marks)
	for i := last; ; i-- {
		seen[i] = passing{span{request.Time, up}, span{response.Time, down}}
		if i == 0 {
			return seen
		}
		from := conns[i-1]
		_, same := js.of(&c[i-1])
		if up {
			request, up = earlier(from.Up.Marks, request, same)
		}
		if down {
			response, down = later(from.Down.Marks, response, same)
		}
	}
}

func first(marks []flow.Mark) (m flow.Mark, ok bool) {
	if len(marks) == 0 {
		return m, false
	}
	return marks[0], true
}

// earlier is the segment that became another one: that with the same byte at the
// other end, or the last one that a proxy got before.
func earlier(marks []flow.Mark, m flow.Mark, same bool) (flow.Mark, bool) {
	for _, o := range slices.Backward(marks) {
		if same && o.Has(m.From) || !same && o.Time <= m.Time {
			return o, true
		}
	}
	return m, false
}

// later is the segment that another one became.
func later(marks []flow.Mark, m flow.Mark, same bool) (flow.Mark, bool) {
	for _, o := range marks {
		if same && o.Has(m.From) || !same && o.Time >= m.Time {
			return o, true
		}
	}
	return m, false
}
