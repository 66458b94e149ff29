package cause

import (
	"fmt"
	"slices"
	"time"

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
	// Because is what, on another leg, made the proxy do it; empty if it is
	// not known.
	Because string
	// Far is what another pod's capture shows of it.
	Far

	cause *Finding // that Because names
	how   string   // sure that is
}

// A Judge finds out who and why for events that come in time order, and passes
// them on in that order.
type Judge struct {
	pass func(*Finding)
	wait []*Finding
	// faults are those of wait that a proxy may pass on.
	faults []*Finding
	open   map[place]int // connections that are not closed
	// asked are SYNs that had no answer yet when that was looked at last, and
	// impacts what came of them before it was clear that they will not.
	asked   []*Finding
	impacts map[*flow.Conn]string
	others  others
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
	return &Judge{pass: pass, open: make(map[place]int), impacts: make(map[*flow.Conn]string)}
}

// See takes the next event.
func (j *Judge) See(pod string, w Where, e *flow.Event) {
	j.release(e.Time - reaction - j.others.skew)
	f := &Finding{Event: *e, Where: w, Verdict: Of(w, e), Pod: pod}
	j.ask(f)
	j.count(f)
	j.attribute(f)
	j.wait = append(j.wait, f)
	if f.wrong() {
		j.faults = append(j.faults, f)
	}
	j.meet(f)
}

// Flush passes on what is left.
func (j *Judge) Flush() { j.release(1<<63 - 1) }

func (j *Judge) release(until int64) {
	for len(j.wait) > 0 && j.wait[0].Time <= until {
		f := j.wait[0]
		j.compare(f)
		if f.cause != nil {
			f.blame(f.how, f.cause) // of whom more is known by now
		}
		j.pass(f)
		j.wait = j.wait[1:]
	}
	for len(j.faults) > 0 && j.faults[0].Time <= until {
		j.faults = j.faults[1:]
	}
}

// ask remembers SYNs until they are answered, and what their lack of an answer
// has led to.
func (j *Judge) ask(f *Finding) {
	switch f.Kind {
	case flow.Opening:
		j.asked = append(j.asked, f)
		if len(j.asked) > maxAsked {
			j.asked = slices.DeleteFunc(j.asked, func(a *Finding) bool { return a.Conn.Down.Packets > 0 })
			j.asked = j.asked[max(0, len(j.asked)-maxAsked/2):]
		}
	case flow.Undelivered:
		j.asked = slices.DeleteFunc(j.asked, func(a *Finding) bool { return f.Refusal && a.Conn == f.Conn })
	case flow.NoAnswer:
		f.Impact = j.impacts[f.Conn]
		delete(j.impacts, f.Conn)
		j.asked = slices.DeleteFunc(j.asked, func(a *Finding) bool { return f.Impact != "" && a.Conn == f.Conn })
	}
}

// maxAsked is how many SYNs are remembered.
const maxAsked = 1024

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
	return f.Kind == flow.Closing || f.Kind == flow.Reset || f.Kind == flow.NoAnswer || f.Kind == flow.Undelivered && f.Refusal
}

// attribute takes what the proxy does to a connection for the impact of what
// last went wrong on the other side of it.
func (j *Judge) attribute(f *Finding) {
	who, other := f.sender(&f.Event)
	if !f.Known || who != Proxy || f.Who != string(Proxy) || f.Kind != flow.Closing && f.Kind != flow.Reset ||
		f.AfterFIN || f.AfterOtherFIN && f.Kind == flow.Closing || f.AfterReset {
		return
	}
	how := "likely"
	if j.open[place{f.Pod, f.Leg}] > 0 {
		how = "possibly" // others could have been meant
	}
	impact := func(since int64) string {
		return fmt.Sprintf("%s, the proxy sent a %s to the %s on %s > %s (%s) %v later",
			how, f.Kind, other, f.Conn.Client, f.Conn.Server, f.Leg, time.Duration(max(f.Time-since, 0)).Round(time.Microsecond))
	}
	for _, cause := range slices.Backward(j.faults) {
		if cause.Impact == "" && !cause.Harmless && cause.before(f) && across(cause, f) {
			cause.Impact = impact(cause.Time)
			f.blame(how, cause)
			cause.spread(how, other, f)
			return
		}
	}
	for _, cause := range slices.Backward(j.asked) {
		if cause.Conn.Down.Packets == 0 && j.impacts[cause.Conn] == "" && across(cause, f) {
			j.impacts[cause.Conn] = impact(cause.Time)
			f.blame(how, cause)
			return
		}
	}
}

// blame says in short what made the proxy act.
func (f *Finding) blame(how string, cause *Finding) {
	f.how, f.cause = how, cause
	what := fmt.Sprintf("a %s by %s", cause.Event.Kind, cause.Who)
	if cause.Kind == flow.Opening || cause.Kind == flow.NoAnswer {
		what = "no answer"
	}
	at := cause.Leg.String()
	if cause.Pod != f.Pod {
		at += " of " + cause.Pod
	}
	f.Because = fmt.Sprintf("%s because of %s on %s > %s (%s)", how, what, cause.Conn.Client, cause.Conn.Server, at)
	if cause.cause != nil && cause.Pod == f.Pod {
		f.Because += ", " + cause.Because
	}
}

// across reports whether two findings are on the two sides of the proxy, in
// the same direction.
func across(a, b *Finding) bool {
	aIn, aApp, aOK := a.side()
	bIn, bApp, bOK := b.side()
	return aOK && bOK && a.Pod == b.Pod && aIn == bIn && aApp != bApp
}

// before reports whether one finding can be why another one came about.
func (f *Finding) before(act *Finding) bool {
	at := f.Time
	if f.cause != nil && f.Kind == flow.Closing {
		at -= foretold
	}
	return at <= act.Time
}

// side says of a leg of the proxy whether it serves the pod's clients, and
// whether the app is at its other end.
func (f *Finding) side() (inbound, app, ok bool) {
	if !f.Known {
		return false, false, false
	}
	switch f.Leg {
	case istiofilter.InboundWire:
		return true, false, true
	case istiofilter.InboundApp:
		return true, true, true
	case istiofilter.OutboundApp:
		return false, true, true
	case istiofilter.OutboundWire:
		return false, false, true
	case istiofilter.HBONE:
		client, _ := f.Parts(&f.Event)
		return client == Peer, false, true
	}
	return false, false, false
}

// wrong reports whether an event is one that a proxy would pass on as a
// fault, and did not do itself; the other pod's proxy may have.
func (f *Finding) wrong() bool {
	who, _ := f.sender(&f.Event)
	passedOn := who == Peer && f.cause != nil
	return (f.Kind == flow.Reset || f.Kind == flow.Undelivered && f.Refusal) && who != Proxy || f.Kind == flow.NoAnswer || passedOn
}
