package afpacket

import (
	"fmt"
	"sync"
)

// A Spread is how the kernel shares the packets of an interface among the
// rings of a Group, see PACKET_FANOUT in packet(7).
type Spread uint8

// The ways to share.
const (
	// ByHash keeps the packets of a flow together, in their order.
	ByHash Spread = iota
	// ByTurn gives each ring a packet in turn (PACKET_FANOUT_LB).
	ByTurn
	// ByCPU goes by the CPU that received the packet.
	ByCPU
	// Rollover fills one ring and goes on to the next when it is full.
	Rollover
	// ByQueue goes by the queue of the network card that received the packet
	// (PACKET_FANOUT_QM).
	ByQueue
)

// spreads are the names of the ways to share, those of packet(7) in small
// letters.
var spreads = [...]string{ByHash: "hash", ByTurn: "lb", ByCPU: "cpu", Rollover: "rollover", ByQueue: "qm"}

// String is the name that ParseSpread knows.
func (s Spread) String() string {
	if int(s) < len(spreads) {
		return spreads[s]
	}
	return fmt.Sprintf("Spread(%d)", s)
}

// ParseSpread knows hash, lb, cpu, rollover and qm.
func ParseSpread(name string) (Spread, error) {
	for s, n := range spreads {
		if n == name {
			return Spread(s), nil
		}
	}
	return 0, fmt.Errorf("%q is not hash, lb, cpu, rollover or qm", name)
}

// A Group is rings on one interface that share its packets: each packet comes
// to one of them. All have the same Config, with the group in it. What arrives
// before the last of them is started may be missed. A ring that is stopped keeps
// its share, and rejects it; one that ends before the others leaves the group by
// Ring.Leave.
//
// The zero value is an empty group that shares by hash.
type Group struct {
	Spread Spread

	mu    sync.Mutex
	known bool // a ring has joined, so the group has an id
	id    int  // the kernel's number of the group, from 0
}
