package cause

import (
	"fmt"
	"slices"

	"icap/internal/flow"
	"icap/istiofilter"
)

// A Finding is an event with its verdict.
type Finding struct {
	flow.Event
	Where
	Verdict
	// Pod is whose traffic it is, to tell several pods of a capture apart.
	Pod string
	// Impact is what it made the proxy do on another leg; empty if nothing
	// was seen.
	Impact string
}

// A Judge finds out who and why for events that come in time order, and passes
// them on in that order.
type Judge struct {
	pass func(*Finding)
	wait []*Finding
	open map[place]int // connections that are not closed
}

// A place is a leg of a pod.
type place struct {
	pod string
	leg istiofilter.Leg
}

// reaction is how long after an event the proxy acts upon it, in nanoseconds,
// and how long a finding therefore waits.
const reaction = 1_000_000_000

// NewJudge passes findings to pass.
func NewJudge(pass func(*Finding)) *Judge {
	return &Judge{pass: pass, open: make(map[place]int)}
}

// See takes the next event.
func (j *Judge) See(pod string, w Where, e *flow.Event) {
	j.release(e.Time - reaction)
	f := &Finding{Event: *e, Where: w, Verdict: Of(w, e), Pod: pod}
	j.count(f)
	j.attribute(f)
	j.wait = append(j.wait, f)
}

// Flush passes on what is left.
func (j *Judge) Flush() { j.release(1<<63 - 1) }

func (j *Judge) release(until int64) {
	for len(j.wait) > 0 && j.wait[0].Time <= until {
		j.pass(j.wait[0])
		j.wait = j.wait[1:]
	}
}

// count keeps the number of connections that stand on each leg.
func (j *Judge) count(f *Finding) {
	at := place{f.Pod, f.Leg}
	switch {
	case !f.Known:
	case f.Kind == flow.Opening:
		j.open[at]++
	case f.ends() && j.open[at] > 0 && !f.AfterFIN && !f.AfterOtherFIN && !f.AfterReset:
		j.open[at]--
	}
}

// ends reports whether an event ends a connection, or begins to.
func (f *Finding) ends() bool {
	return f.Kind == flow.Closing || f.Kind == flow.Reset || f.Kind == flow.NoAnswer
}

// across is the leg on the other side of the proxy.
var across = map[istiofilter.Leg]istiofilter.Leg{
	istiofilter.InboundWire:  istiofilter.InboundApp,
	istiofilter.InboundApp:   istiofilter.InboundWire,
	istiofilter.OutboundApp:  istiofilter.OutboundWire,
	istiofilter.OutboundWire: istiofilter.OutboundApp,
}

// attribute takes what the proxy does to a connection for the impact of what
// last went wrong on the other side of it.
func (j *Judge) attribute(f *Finding) {
	who, other := f.sender(&f.Event)
	leg, proxied := across[f.Leg]
	if !f.Known || !proxied || who != Proxy || f.Kind != flow.Closing && f.Kind != flow.Reset ||
		f.AfterFIN || f.AfterOtherFIN || f.AfterReset {
		return
	}
	for _, cause := range slices.Backward(j.wait) {
		if cause.Impact != "" || cause.Harmless || cause.Pod != f.Pod || !cause.Known || cause.Leg != leg || !cause.wrong() {
			continue
		}
		how := "likely"
		if j.open[place{f.Pod, f.Leg}] > 0 {
			how = "possibly" // others could have been meant
		}
		cause.Impact = fmt.Sprintf("%s, the proxy sent a %s to the %s on %s > %s (%s) %.1f ms later",
			how, f.Kind, other, f.Conn.Client, f.Conn.Server, f.Leg, float64(f.Time-cause.Time)/1e6)
		return
	}
}

// wrong reports whether an event is one that a proxy would pass on as a
// fault, and did not do itself.
func (f *Finding) wrong() bool {
	who, _ := f.sender(&f.Event)
	return f.Kind == flow.Reset && who != Proxy || f.Kind == flow.NoAnswer
}
