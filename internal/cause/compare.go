package cause

import (
	"fmt"

	"icap/internal/ends"
	"icap/internal/flow"
)

// compare judges a finding anew by what the capture in the other pod shows, as
// far as it goes.
func (j *Judge) compare(f *Finding) {
	if j.others.crossings[f.Conn] == nil {
		return
	}
	join, other, ok := j.join(f)
	if !ok {
		j.alone(f)
		return
	}
	f.OtherPod = other.Pod
	sure := Likely
	if join.Certain && !j.gap(other.Pod, f.Time) {
		sure = Certain
	}
	switch {
	case f.Kind == flow.NoAnswer:
		f.unanswered(&join, sure)
	case f.Kind == flow.Retransmits:
		f.repeated(&join)
	case f.Kind == flow.NoRoom:
	case f.Twin != nil:
		f.Passage = Arrived
		if f.Received {
			f.ofTwin(&join)
		}
	case f.Received && f.Kind != flow.Opening && j.shows(other.Conn, f.Time):
		f.Passage = Forged
		f.ofNobody(sure)
	case f.Sent && sure == Certain && j.shows(other.Conn, f.Time) && j.lasted(other.Host, f.Time):
		f.Passage = Lost
	}
}

// settled is for how long after a packet there has to be a capture to say that
// it never arrived, in nanoseconds: its parts do not end at once.
const settled = 50_000_000

// lasted reports whether the capture on a host went on after some time.
func (j *Judge) lasted(host string, time int64) bool {
	return j.others.heard[host] >= time+settled+j.others.skew
}

// shows reports whether a packet at some time would have been captured where a
// connection was: it was seen before, and something after.
func (j *Judge) shows(c *flow.Conn, time int64) bool {
	return c.Start <= time+j.others.skew && (j.lasted(c.Host, time) || j.others.wires[c.Wire] > time+j.others.skew)
}

// gap reports whether the capture of a pod has lost packets near a time.
func (j *Judge) gap(pod string, time int64) bool {
	missed, ok := j.others.missed[pod]
	return ok && missed >= time-reaction
}

// ofTwin judges what came in, and was sent by the other pod.
func (f *Finding) ofTwin(join *ends.Join) {
	if f.Kind == flow.Opening || f.Kind == flow.Accepted {
		return
	}
	t := f.Twin
	f.Who = string(Peer)
	who := t.Who
	if who == "pod's kernel" || f.Kind == flow.Undelivered {
		f.Who, who = "peer's kernel", "kernel"
	}
	f.Sure = Likely
	if join.Certain {
		f.Sure = Certain
	}
	if t.Why != "" {
		f.Why = fmt.Sprintf("%s of %s: %s", who, t.Pod, t.Why)
	}
	f.Evidence += fmt.Sprintf("; %s sent it", t.Pod)
	if join.Translated {
		f.Evidence += ", " + join.Evidence
	}
}

// ofNobody judges what came in, and was not sent by the other pod.
func (f *Finding) ofNobody(sure Certainty) {
	f.Sure = sure
	f.Evidence += fmt.Sprintf("; %s never sent it", f.OtherPod)
	switch f.Kind {
	case flow.Undelivered:
		f.Who = "router or firewall on the way"
	case flow.Accepted:
		f.Who, f.Why = "middlebox", "somebody between the pods answered in the name of the peer"
	case flow.Reset:
		f.Who, f.Why = "middlebox", "somebody between the pods ended the connection in the name of the peer"
		if f.Refusal {
			f.Who, f.Why = "firewall on the way", fmt.Sprintf("somebody between the pods rejects connections to port %d", f.Conn.Server.Port())
		}
	case flow.Closing:
		f.Who, f.Why = "middlebox", "somebody between the pods closed the connection in the name of the peer"
	}
}

// unanswered judges a SYN that has come to the other pod.
func (f *Finding) unanswered(join *ends.Join, sure Certainty) {
	server := &join.Server
	f.Passage, f.Sure = Arrived, sure
	f.Evidence += fmt.Sprintf("; %s came to %s", syns(server.Numbers.SYNs), server.Pod)
	if server.Numbers.HasServer {
		f.Passage = Lost
		f.Why = fmt.Sprintf("gets through: %s answers the SYN, and its answer is lost between the pods", server.Pod)
		return
	}
	f.Why = fmt.Sprintf("answers: %s gets the SYN and drops it, by a rule or since the queue of the listener is full", server.Pod)
}

// repeated judges segments that were sent again by whether they had come to
// the other pod.
func (f *Finding) repeated(join *ends.Join) {
	sent, got := join.Client.Up.Retransmits, join.Server.Up.Retransmits
	from, to := join.Client.Pod, join.Server.Pod
	if !f.ByClient {
		sent, got = join.Server.Down.Retransmits, join.Client.Down.Retransmits
		from, to = to, from
	}
	f.Passage = Arrived
	if sent > got {
		f.Passage = Lost
		f.Why = fmt.Sprintf("sends the same again: what it sends to %s is lost between the pods", to)
		f.Evidence += fmt.Sprintf("; of %d that %s sent again, %s had not got %d before", sent, from, to, sent-got)
		return
	}
	f.Why = fmt.Sprintf("sends the same again, though %s has got all of it: acknowledgements are lost or late, or it hangs", to)
	f.Evidence += fmt.Sprintf("; %s got both", to)
}

// alone judges what the client's side shows of a connection that never came to
// the pod with the server's address, though that was captured.
func (j *Judge) alone(f *Finding) {
	to, ok := j.others.at[f.Conn.Server.Addr()]
	if !ok || to.pod == f.Pod || f.Conn.In || f.Conn.Guessed || f.Conn.Proto != flow.ProtoTCP {
		return
	}
	sure := Likely
	if to.serves && j.lasted(to.host, f.Conn.Numbers.Asked) && !j.gap(to.pod, f.Conn.Numbers.Asked) {
		sure = Certain
	}
	never := fmt.Sprintf("; no SYN came to %s", to.pod)
	switch {
	case f.Kind == flow.Opening && sure == Certain:
		f.OtherPod, f.Passage = to.pod, Lost
	case f.Kind == flow.NoAnswer:
		f.OtherPod, f.Passage, f.Sure = to.pod, Lost, sure
		f.Why = fmt.Sprintf("gets the SYN: it is lost between the pods, and never comes to %s", to.pod)
		f.Evidence += never
	case f.Kind == flow.Retransmits && f.Conn.Down.Packets == 0:
		f.OtherPod, f.Passage, f.Sure = to.pod, Lost, sure
		f.Why = fmt.Sprintf("sends the SYN again: it is lost between the pods, and never comes to %s", to.pod)
		f.Evidence += never
	case f.Kind == flow.Reset && f.Received && f.Refusal, f.Kind == flow.Undelivered && f.Received:
		f.OtherPod, f.Passage = to.pod, Forged
		f.ofNobody(sure)
		f.Evidence += never
	}
}
