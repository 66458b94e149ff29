package capture

import (
	"slices"
	"time"
)

// settle is how long a packet may be on its way from its timestamp to the
// ring, on another CPU.
const settle = time.Millisecond

// never is a timestamp that no packet has.
const never = 1<<63 - 1

// write writes packets, oldest first, as long as no ring can deliver an older
// one. It returns after what time to look again, 0 if nothing is held back.
func (m *merge) write(now time.Time) (wait time.Duration, err error) {
	all := m.allAtHand()
	for len(m.runs) > 0 {
		oldest, limit := m.oldest()
		if !all {
			bound, wait := m.bound(oldest, now)
			if oldest.head() > bound {
				return wait, nil
			}
			limit = min(limit, bound)
		}
		runs := len(m.runs)
		if err := m.writeRun(oldest, limit); err != nil {
			return 0, err
		}
		if len(m.runs) < runs {
			all = m.allAtHand()
		}
	}
	return 0, nil
}

// allAtHand reports whether there are packets to write of every ring that may
// deliver more, so that none can hold the others back.
func (m *merge) allAtHand() bool {
	for i, ended := range m.ended {
		if !ended && !m.atHand(i) {
			return false
		}
	}
	return true
}

// oldest is the run with the oldest packet, and the timestamp up to which its
// packets are older than those of the other runs.
func (m *merge) oldest() (oldest *run, limit int64) {
	first, limit := int64(never), int64(never)
	for _, r := range m.runs {
		switch head := r.head(); {
		case oldest == nil || head < first:
			if oldest != nil {
				limit = first
			}
			oldest, first = r, head
		case head < limit:
			limit = head
		}
	}
	return oldest, limit
}

// bound is the timestamp below which no ring delivers any more, as far as the
// run r is concerned, and the time after which it should be asked again.
func (m *merge) bound(r *run, now time.Time) (bound int64, wait time.Duration) {
	bound = never
	if m.relief.exhausted() {
		return bound, 0
	}
	age := now.Sub(r.taken)
	for i, ring := range m.config.Rings {
		if i == r.ring || m.atHand(i) || m.ended[i] {
			continue
		}
		// Twice, because the timer of some kernels ticks whether or not
		// a block has just been opened.
		patience := 2 * ring.RetireTimeout()
		switch {
		case age >= patience:
			continue
		case age < settle:
			patience = settle
		case ring.Idle():
			continue
		}
		bound = min(bound, m.latest[i])
		if left := patience - age; wait == 0 || left < wait {
			wait = left
		}
	}
	return bound, wait
}

// atHand reports whether there are packets of a ring to write.
func (m *merge) atHand(ring int) bool {
	return slices.ContainsFunc(m.runs, func(r *run) bool { return r.ring == ring })
}

// writeRun writes the packets of a run that are not younger than limit, and
// gives the block back when it was the last.
func (m *merge) writeRun(r *run, limit int64) error {
	// A ring that is being stopped has asked for the drops by itself, and so
	// taken the mark off the block that the kernel was filling.
	if !r.told && (r.block.Losing() || m.stopping.Load()) {
		r.told = true
		m.count(r.ring)
	}
	m.packet.Source, m.packet.Ring = m.source(r.ring), m.config.Rings[r.ring]
	source := &m.result.Sources[m.packet.Source]
	for !r.written() && r.time <= limit {
		if limit == never && !r.jumbled {
			write := m.writeStraight
			if m.bulk != nil {
				write = m.writeBulk
			}
			if err := write(r, source); err != nil {
				return err
			}
			continue
		}
		if err := m.writePacket(r, source, r.offset); err != nil {
			return err
		}
		r.next()
	}
	if r.written() {
		m.remove(r)
	}
	return nil
}

// writeStraight writes the packets of a run up to where it is not in order. It
// is what most packets go through: the run's fields are kept in registers, and
// nobody asks for the time of the next packet.
func (m *merge) writeStraight(r *run, source *Source) error {
	at, scout, last := r.offset, r.scout, r.scoutTime
	for at != 0 {
		if err := m.writePacket(r, source, at); err != nil {
			return err
		}
		at = r.block.Next(at)
		if scout == 0 {
			continue
		}
		if scout = r.block.Next(scout); scout == 0 {
			continue
		}
		t := r.block.Time(scout)
		if t < last {
			r.offset = at
			r.jumble()
			return nil
		}
		last = t
	}
	r.offset = 0
	return nil
}

// writePacket writes the packet of a run at an offset.
func (m *merge) writePacket(r *run, source *Source, at uint32) error {
	p, untold := &m.packet, &m.untold[r.ring]
	r.block.Read(at, &p.Packet)
	p.Interface = 0
	p.DroppedBefore = *untold
	if m.config.Hook != nil && !m.config.Hook(p) {
		source.Excluded++
		return nil
	}
	if err := m.config.Sink.Packet(p); err != nil {
		return err
	}
	if !m.config.SinkCounts {
		source.Written++
		source.Told += *untold
		m.written++
	}
	*untold = 0
	if p.Time < m.last {
		m.result.Late++
	} else {
		m.last = p.Time
	}
	if m.written > 0 && m.written == m.config.Count {
		return ErrEnough
	}
	return nil
}
