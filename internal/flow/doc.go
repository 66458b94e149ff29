// Package flow knows connections: who talks to whom in a packet.
package flow
