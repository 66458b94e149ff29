package cause

import (
	"fmt"
	"net/netip"

	"icap/internal/ends"
	"icap/internal/flow"
	"icap/istiofilter"
)

// A Passage is what became of a packet between two pods.
type Passage string

// The passages.
const (
	Unknown Passage = ""        // nothing shows it
	Arrived Passage = "arrived" // one sent it, the other got it
	Lost    Passage = "lost"    // one sent it, the other never got it
	Forged  Passage = "forged"  // one got it, the other never sent it
)

// Far is what the capture in another pod shows of an event: that of the other
// end of the connection.
type Far struct {
	OtherPod string // of the other end, empty if it was not captured
	Passage  Passage
	// Twin is the same packet there, nil if there is none. Took is how long it
	// was on its way in nanoseconds; not HasTook where two clocks measured it.
	Twin    *Finding
	Took    int64
	HasTook bool
}

// others are what a judge knows of the other ends of connections.
type others struct {
	matcher   ends.Matcher
	crossings map[*flow.Conn]*crossing
	at        map[netip.Addr]neighbour
	heard     map[string]int64 // when the last packet of each host was captured
	wires     map[string]int64 // of each wire
	missed    map[string]int64 // when the capture in each pod last lost packets
	// skew is how far clocks of hosts are apart, as far as connections show,
	// and so for how much longer findings wait, in nanoseconds.
	skew int64
}

// maxSkew is what is believed of clocks, in nanoseconds.
const maxSkew = 60_000_000_000

// A crossing is a connection that leaves or enters a pod.
type crossing struct {
	pod  string
	told []*Finding // those that one packet brought about
}

// A neighbour is a pod that was captured. Serves says that connections were
// seen to come in there, and so would others be.
type neighbour struct {
	pod, host string
	serves    bool
}

// Begin takes a connection that has begun, ahead of its events. Without that
// what happens to it is judged by one pod's capture alone.
func (j *Judge) Begin(pod string, w Where, c *flow.Conn) {
	o := &j.others
	if pod == "" || !w.Crosses(c) {
		return
	}
	if o.crossings == nil {
		o.crossings, o.at = make(map[*flow.Conn]*crossing), make(map[netip.Addr]neighbour)
	}
	o.crossings[c] = &crossing{pod: pod}
	o.matcher.Add(ends.End{Conn: c, Pod: pod})
	if c.In {
		o.at[c.Server.Addr()] = neighbour{pod, c.Host, true}
	} else if _, ok := o.at[c.Client.Addr()]; !ok {
		o.at[c.Client.Addr()] = neighbour{pod: pod, host: c.Host}
	}
}

// End forgets a connection of which nothing more will be told. Its events that
// have not been passed on yet are judged without it.
func (j *Judge) End(c *flow.Conn) {
	delete(j.others.crossings, c)
	j.others.matcher.Remove(c)
}

// Heard says that a packet was captured on a wire of a host: its capture goes
// on. What has waited for long enough by then is passed on, without a further
// event.
func (j *Judge) Heard(host, wire string, time int64) {
	o := &j.others
	if o.heard == nil {
		o.heard, o.wires = make(map[string]int64), make(map[string]int64)
	}
	o.heard[host], o.wires[wire] = time, time
	j.release(time - reaction - o.skew)
}

// Missed says that the capture of a pod has lost packets ahead of a time: what it
// does not show then may have been there.
func (j *Judge) Missed(pod string, time int64) {
	if j.others.missed == nil {
		j.others.missed = make(map[string]int64)
	}
	j.others.missed[pod] = time
}

// Crosses reports whether a connection on a leg goes in or out of the pod, as
// far as the capture tells which way its packets went.
func (w Where) Crosses(c *flow.Conn) bool {
	switch w.Leg {
	case istiofilter.InboundApp, istiofilter.OutboundApp, istiofilter.DNSApp, istiofilter.Self, istiofilter.SelfWire:
		return false
	}
	return w.Known && c.Out != c.In && c.Client.Addr() != c.Server.Addr() && !c.Server.Addr().IsLoopback()
}

// meet looks for the same packet at the other end of the connection.
func (j *Judge) meet(f *Finding) {
	w := j.others.crossings[f.Conn]
	if w == nil || f.Sent == f.Received || f.Kind == flow.NoAnswer || f.Kind == flow.Retransmits || f.Kind == flow.NoRoom {
		return
	}
	if w.told = append(w.told, f); len(w.told) > maxRemembered {
		w.told = w.told[1:]
	}
	join, other, ok := j.join(f)
	if !ok {
		return
	}
	for _, t := range j.others.crossings[other.Conn].told {
		if t.Twin == nil && f.same(t) {
			j.link(&join, f, t)
			return
		}
	}
}

// maxRemembered is how many findings on a connection can have a twin to come.
const maxRemembered = 64

// same reports whether two findings are of one packet, at the two ends.
func (f *Finding) same(t *Finding) bool {
	if f.Kind != t.Kind || f.ByClient != t.ByClient || f.Sent != t.Received {
		return false
	}
	a, b := f.Complaint, t.Complaint
	return f.Seq == t.Seq && a.Version == b.Version && a.Type == b.Type && a.Code == b.Code
}

// link makes two findings twins. What made a proxy send a packet is what made
// the other pod's proxy act upon it.
func (j *Judge) link(join *ends.Join, f, t *Finding) {
	sent, got := f, t
	if f.Received {
		sent, got = t, f
	}
	sent.Twin, got.Twin = got, sent
	if took := got.Time - sent.Time; join.OneClock() && took >= 0 {
		sent.Took, sent.HasTook, got.Took, got.HasTook = took, true, took, true
	}
	if sent.cause == nil {
		return
	}
	known := got.wrong()
	got.blame(sent.how, sent.cause)
	if !known && got.wrong() {
		j.faults = append(j.faults, got)
	}
	for _, later := range j.wait {
		if later.Pod == got.Pod && later.Time >= got.Time-foretold && later.cause == nil {
			j.attribute(later)
		}
	}
}

// foretold is how long before a FIN the proxy may act upon what it announces, a
// close_notify of TLS, in nanoseconds.
const foretold = 20_000_000

// spread tells what first made proxies act how far that has come: cause is on
// a leg of this pod, and was passed on by another pod's proxy.
func (f *Finding) spread(how string, to Part, act *Finding) {
	if f.cause == nil || f.cause.Pod == f.Pod {
		return
	}
	f.cause.Impact += fmt.Sprintf("; %s, the proxy of %s then sent a %s to the %s on %s > %s (%s)",
		how, act.Pod, act.Kind, to, act.Conn.Client, act.Conn.Server, act.Leg)
}

// join is the connection of a finding, and the end of it that the finding is
// not of.
func (j *Judge) join(f *Finding) (join ends.Join, other ends.End, ok bool) {
	o := &j.others
	if join, ok = o.matcher.Join(f.Conn); !ok {
		return join, other, false
	}
	if offset, ok := join.Offset(); ok && !join.OneClock() {
		o.skew = min(max(o.skew, offset, -offset), maxSkew)
	}
	return join, join.Other(f.Conn), true
}
