package afpacket

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fanouts are the kernel's numbers of the ways to share.
var fanouts = [...]int{
	ByHash:   unix.PACKET_FANOUT_HASH,
	ByTurn:   unix.PACKET_FANOUT_LB,
	ByCPU:    unix.PACKET_FANOUT_CPU,
	Rollover: unix.PACKET_FANOUT_ROLLOVER,
	ByQueue:  unix.PACKET_FANOUT_QM,
}

// groupID masks what getsockopt returns: the number of the group, below its
// way to share.
const groupID = 0xffff

// startInGroup binds the ring and lets it join its group. The kernel takes
// only bound sockets into a group, and until then such a socket would receive
// what the others receive, too: so it rejects everything until it has joined.
func (r *Ring) startInGroup() error {
	if err := r.setFilter(rejectAll); err != nil {
		return err
	}
	if err := r.bind(); err != nil {
		return err
	}
	if err := r.config.Group.join(r); err != nil {
		return fmt.Errorf("join group of rings: %w", err)
	}
	return r.setFilter(r.filter)
}

// join adds a ring. The first one lets the kernel choose a number that no
// other capture in the namespace has.
func (g *Group) join(r *Ring) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if int(g.Spread) >= len(fanouts) {
		return fmt.Errorf("unknown way to share: %s", g.Spread)
	}
	arg := g.id | fanouts[g.Spread]<<16
	if !g.known {
		arg |= unix.PACKET_FANOUT_FLAG_UNIQUEID << 16
	}
	if err := r.setInt(unix.PACKET_FANOUT, arg); err != nil {
		return os.NewSyscallError("setsockopt PACKET_FANOUT", err)
	}
	if g.known {
		return nil
	}
	return r.control(func(fd int) error {
		v, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		g.known, g.id = err == nil, v&groupID
		return os.NewSyscallError("getsockopt PACKET_FANOUT", err)
	})
}
