package cause

import (
	"fmt"

	"icap/internal/flow"
)

// Disown adds to the verdict on a RST that seems to be of the pod's kernel that
// its TCP says nothing of one: then a rule has sent it.
func (v *Verdict) Disown(e *flow.Event) {
	if !e.Bare || !e.Refusal || v.Who != "pod's kernel" {
		return
	}
	v.Why = fmt.Sprintf("a rule in the pod rejects connections to port %d", e.Conn.Server.Port())
	v.Sure = Likely
	v.Evidence += "; TCP in the kernel tells of no RST of its own"
}

// Explain adds to the verdict on a RST that somebody in the pod sent why the
// kernel says it was, by a name of enum sk_rst_reason without its prefix. An
// empty one adds nothing. It is for the sender's own kernel.
func (v *Verdict) Explain(e *flow.Event, reason string) {
	if reason == "" {
		return
	}
	v.Reason = reason
	v.Evidence += "; the kernel's reason is " + reason
	switch reason {
	case "NO_SOCKET":
		v.Sure = Certain
		if e.Refusal {
			v.Why = fmt.Sprintf("nothing listens on port %d", e.Conn.Server.Port())
		}
	case "TCP_TIMEWAIT_SOCKET":
		v.Why, v.Sure = "a packet came for a connection that has been closed", Certain
	case "TCP_ABORT_ON_DATA":
		v.Why, v.Sure = "data came after the socket was closed", Certain
	case "TCP_ABORT_ON_CLOSE":
		v.Why, v.Sure = "aborted the connection: closed it with unread data", Certain
	case "TCP_STATE", "TCP_DISCONNECT_WITH_DATA":
		v.Why, v.Sure = "aborted the connection: closed it without lingering", Certain
	case "TCP_KEEPALIVE_TIMEOUT":
		v.Why, v.Sure = "gave the connection up: the other side did not answer for too long", Certain
	case "TCP_ABORT_ON_MEMORY":
		v.Why, v.Sure = "gave the closed connection up: the kernel has no memory for it", Certain
	}
}
