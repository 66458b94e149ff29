package afpacket

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// drainPatience is how many retire timeouts the last block may take to
	// come before its packets are given up.
	drainPatience = 20

	// inFlight is how long a packet may be on its way through the kernel,
	// past the filter and not yet counted, when the ring is taken off the
	// wire.
	inFlight = time.Millisecond
)

// Stop takes the ring off the wire. Wait and Next go on until everything that
// was received has been delivered, which takes up to one retire timeout.
func (r *Ring) Stop() error {
	r.stop.Do(func() {
		err := r.leaveWire()
		r.stopped.Store(true)
		r.stopErr = errors.Join(err, r.conn.SetReadDeadline(time.Now()))
	})
	return r.stopErr
}

// leaveWire keeps packets from coming. Rings are bound to protocol 0, which their
// filter, locked or not, has no say in, and which returns when no packet is on its
// way to the socket any more.
//
// Not so those of a group: they get a filter that rejects everything. There is no
// other way in net/packet/af_packet.c that leaves the ring's memory: packet_do_bind
// returns EINVAL for a socket of a group; packet_set_ring returns EBUSY for a ring
// that is mapped, and has put the socket back into its group by then; only
// packet_release takes one out for good, which waits for the mapping to end. And
// what SO_LOCK_FILTER has locked, sk_setsockopt never unlocks.
func (r *Ring) leaveWire() error {
	if r.config.Group != nil {
		return r.setFilter(rejectAll)
	}
	err := r.bindTo(0)
	if at, ok := r.binding(); err == nil && ok && at.Protocol != 0 {
		// Some kernels take protocol 0 for the one that the socket has.
		err = r.bindTo(unusedProtocol)
	}
	if errors.Is(err, unix.ENODEV) {
		return nil // the interface is gone
	}
	return os.NewSyscallError("bind", err)
}

// unusedProtocol is an EtherType that nobody uses: RFC 1701 reserves it.
const unusedProtocol = 0xffff

// Interrupt makes Wait return nil soon, though no block need be there to take.
// The ring stays on the wire.
func (r *Ring) Interrupt() error {
	r.interrupted.Store(true)
	return r.conn.SetReadDeadline(time.Now())
}

// drain waits until there is something more to take from a ring that receives
// no more, and returns nil; or end, when nothing is left. The kernel's count
// says how much there is to come: the block that it is filling retires by its
// timeout.
func (r *Ring) drain(end error) error {
	giveUp := time.Now().Add(drainPatience * r.config.RetireTimeout)
	for confirmed := false; time.Now().Before(giveUp); {
		if r.retired() {
			return nil
		}
		s, err := r.Stats()
		switch {
		case err != nil:
			return err
		case s.Delivered+s.Dropped < s.Received:
			confirmed = false
			if err := r.awaitRetirement(); err != nil {
				return err
			}
		case !confirmed:
			confirmed = true
			time.Sleep(inFlight)
		default:
			return end
		}
	}
	return end
}

// awaitRetirement waits for one retire timeout at most.
func (r *Ring) awaitRetirement() error {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.config.RetireTimeout)); err != nil {
		return err
	}
	err := r.raw.Read(r.ready)
	r.failed = nil
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("drain ring on %q: %w", r.name, err)
	}
	return nil
}

// Stats returns the counts since Start. The kernel's own are 32 bits wide and
// start anew with every reading; here they are added up.
func (r *Ring) Stats() (Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.control(func(fd int) error {
		s, err := unix.GetsockoptTpacketStatsV3(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err != nil {
			return os.NewSyscallError("getsockopt PACKET_STATISTICS", err)
		}
		r.counted.Received += uint64(s.Packets)
		r.counted.Dropped += uint64(s.Drops)
		r.counted.Freezes += uint64(s.Freeze_q_cnt)
		return nil
	})
	if err != nil {
		return Stats{}, fmt.Errorf("statistics of ring on %q: %w", r.name, err)
	}
	r.counted.Delivered = r.delivered.Load()
	return r.counted, nil
}
