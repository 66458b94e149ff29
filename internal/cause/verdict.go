package cause

import (
	"fmt"
	"net/netip"
	"slices"

	"icap/internal/flow"
)

// A Certainty is how sure a verdict is of who it was.
type Certainty string

// The certainties.
const (
	Certain Certainty = "certain"
	Likely  Certainty = "likely"
)

// A Verdict says who did it and why.
type Verdict struct {
	// Who is a Part, or in words who else it may be.
	Who string
	// Why is empty for what is in the nature of things, as a SYN.
	Why      string
	Sure     Certainty
	Evidence string
	// Harmless says that nobody was served worse for it.
	Harmless bool
	// Reason is why the kernel says that it sent a RST; empty if not known.
	Reason string
}

// Of is the verdict on an event of a leg.
func Of(w Where, e *flow.Event) Verdict {
	who, other := w.sender(e)
	v := Verdict{Who: string(who), Sure: Certain, Evidence: "it was sent " + by(w, e)}
	switch e.Kind {
	case flow.Closing:
		v.Why = "closed the connection"
		if e.AfterOtherFIN {
			v.Why = "closed the connection in its turn"
		}
		if leaked(e) && proxied(e.Conn, source(e)) {
			v.Who, v.Why, v.Sure = string(Proxy), leak, Likely
			v.Evidence = "it shows a port of the proxy, past NAT"
		}
	case flow.NoAnswer:
		v.Who = string(Nobody)
		v.Why = fmt.Sprintf("answers the %s: what it sends, or the answer, is dropped on the way, or %s is not there", who, e.Conn.Server)
		v.Evidence = fmt.Sprintf("%s and no answer in %.3f s", syns(int(e.Conn.Up.Packets)), float64(e.Waited)/1e9)
		if e.Waited < retransmission {
			v.Sure = Likely
		}
	case flow.Retransmits:
		v.Why = fmt.Sprintf("sends the same again: packets to the %s or its acknowledgements are lost, or it hangs", other)
		v.Evidence = "repeated sequence numbers"
	case flow.NoRoom:
		v.Why = "does not read what it gets: its buffer is full"
		v.Evidence = "window of zero"
	case flow.Undelivered:
		v.ofComplaint(who, other, e)
	case flow.Reset:
		if who == Peer {
			v.fromOutside(e)
		} else {
			v.fromInside(who, e)
		}
		v.afterwards(e)
	}
	if e.Conn.Torn && w.Known {
		v.Sure = Likely
		v.Evidence += "; other packets of the connection are on another leg"
	}
	return v
}

// retransmission is after how long a SYN is sent again, RFC 6298: an answer
// may be later than the capture only for as long.
const retransmission = 1_000_000_000

func syns(n int) string {
	if n == 1 {
		return "1 SYN"
	}
	return fmt.Sprintf("%d SYNs", n)
}

// by says what tells who the sender is.
func by(w Where, e *flow.Event) string {
	side := "server"
	if e.ByClient {
		side = "client"
	}
	if !w.Known {
		return "by the " + side
	}
	return fmt.Sprintf("by the %s of %s", side, w.Leg)
}

// fromInside judges a RST that somebody in the pod sent.
func (v *Verdict) fromInside(who Part, e *flow.Event) {
	switch {
	case e.Bare && leaked(e):
		v.Who, v.Why, v.Sure = "pod's kernel", leak, Likely
		v.Evidence += "; its connection shows a port of the proxy, past NAT"
	case e.Bare && e.Refusal:
		v.Who = "pod's kernel"
		v.Why = fmt.Sprintf("nothing listens on port %d, or a rule in the pod rejects it", e.Conn.Server.Port())
		v.Evidence += "; without options, window and identification, in answer to a SYN"
	case e.Bare && e.AfterFIN:
		v.Who = "pod's kernel"
		v.Why = fmt.Sprintf("data came after the %s had closed", who)
		v.Evidence += "; without options and window, after a FIN"
	case e.Bare:
		v.Who, v.Sure = "pod's kernel", Likely
		v.Why = fmt.Sprintf("the %s has no such connection any more", who)
		v.Evidence += "; without options and window"
	default:
		v.ofSocket(e)
	}
}

// ofSocket judges a RST that a process or its socket sent.
func (v *Verdict) ofSocket(e *flow.Event) {
	v.Why = "aborted the connection: closed it with unread data, or without lingering"
	v.Evidence += "; of a socket, with options or window"
	if e.AfterFIN {
		v.Why = "closed the connection for good after its FIN: what still came was not read"
		v.Evidence += ", after a FIN"
	}
	if e.Probes > 0 {
		v.Why = "gave the connection up: the other side answered no keepalive"
		v.Evidence += fmt.Sprintf(", after %d keepalives without an answer", e.Probes)
	}
}

// fromOutside judges a RST that came in.
func (v *Verdict) fromOutside(e *flow.Event) {
	v.Evidence = "it came in"
	switch {
	case e.Bare && leaked(e):
		v.Why, v.Sure = leak, Likely
		v.Evidence += "; its connection shows a port of the proxy, past NAT"
	case e.Bare && e.Refusal:
		v.Who = "peer's kernel, or a firewall on the way"
		v.Why = fmt.Sprintf("nothing listens on port %d, or a rule rejects it", e.Conn.Server.Port())
		v.Evidence += " in answer to a SYN, without options, window and identification"
	case e.Bare && e.AfterFIN:
		v.Who = "peer's kernel"
		v.Why = "data came after the peer had closed"
		v.Sure = Likely
		v.Evidence += " without options and window, after the peer's FIN"
	case e.Astray:
		v.Who, v.Sure = "peer or middlebox", Certain
		v.Why = "out of sequence: forged, or of a connection that is gone"
		v.Evidence += "; its sequence number is not the one that is due"
	case e.TTL != 0:
		v.Who = "peer or middlebox"
		v.Why = "somebody on the way ended it, or the peer's kernel by itself"
		v.Evidence += fmt.Sprintf(" with a TTL of %d, where the peer's packets have %d", e.TTL, e.UsualTTL)
	case e.Bare, e.Terse:
		v.Who = "peer or middlebox"
		v.Why = "the peer has no such connection any more, or somebody on the way ended it"
		v.Evidence += " without options and window, and no FIN before it"
	default:
		v.Sure = Likely
		v.ofSocket(e)
	}
}

// afterwards says whether a RST still mattered.
func (v *Verdict) afterwards(e *flow.Event) {
	switch {
	case e.AfterReset:
		v.Harmless = true
		v.Evidence += "; the connection had been reset before"
	case e.AfterFIN && e.AfterOtherFIN:
		v.Harmless = true
		v.Evidence += "; both sides had closed"
	case e.AfterFIN && e.Bare:
		v.Harmless = true
	}
}

// leak is why connections show the proxy's ports to the outside.
const leak = "a packet that connection tracking held for INVALID went past NAT (istio/istio#36489)"

// leaked reports whether a connection that did not begin in the capture shows
// one of the ports that the rules redirect to. With the loopback on that side
// an answer does, which NAT would have given another address.
func leaked(e *flow.Event) bool {
	c := e.Conn
	if !c.Guessed {
		return false
	}
	for _, end := range []struct {
		own, other netip.AddrPort
		sent       uint64
	}{{c.Client, c.Server, c.Up.Packets}, {c.Server, c.Client, c.Down.Packets}} {
		if proxied(c, end.own) && !end.other.Addr().IsLoopback() && (!end.own.Addr().IsLoopback() || end.sent > 0) {
			return true
		}
	}
	return false
}

// proxied reports whether it is a port that rules redirect to where the
// connection was captured.
func proxied(c *flow.Conn, a netip.AddrPort) bool { return slices.Contains(c.Redirects, a.Port()) }

// source is who sent the packet of an event.
func source(e *flow.Event) netip.AddrPort {
	if e.ByClient {
		return e.Conn.Client
	}
	return e.Conn.Server
}
