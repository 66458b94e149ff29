// Package flow knows connections: who talks to whom in a packet, how a
// connection begins, goes on and ends, and what is spoken on it.
//
// [Headers] reads one packet. A [Tracker] takes packets in time order and keeps
// a [Conn] for each connection; it tells of each SYN, FIN and RST, and of what
// did not happen, as an [Event]. It goes by packets alone: what they mean for
// the parts of a pod is for others to say.
package flow
