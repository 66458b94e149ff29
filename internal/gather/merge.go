package gather

import (
	"encoding/binary"
	"math"
	"time"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

const (
	// flushEvery is how long a packet that was written may stay in the batch.
	flushEvery = 100 * time.Millisecond
	// burst is how many packets are written between two looks at what else
	// there is to do.
	burst = 4096
)

// A merge is the goroutine of Run.
type merge struct {
	g       *Gatherer
	writer  *pcapwriter.Writer // nil until there is an interface
	heap    heap
	last    int64 // time of the youngest packet written
	flushed time.Time
	scratch []byte
	timer   *time.Timer

	// As last seen under the lock.
	fresh  []*Stream
	silent int
	oldest time.Duration // when the piece came that waits for the longest time
	due    time.Duration // what came later waits for silent streams
	over   bool
	ahead  ahead
}

func newMerge(g *Gatherer) *merge {
	return &merge{g: g, last: math.MinInt64, timer: time.NewTimer(time.Hour)}
}

// run merges until it is over.
func (m *merge) run() error {
	defer m.timer.Stop()
	for {
		m.collect()
		if err := m.introduce(); err != nil {
			return err
		}
		for _, s := range m.fresh {
			if err := m.admit(s); err != nil {
				return err
			}
		}
		more, err := m.write()
		if err != nil {
			return err
		}
		if !more && m.over && len(m.heap) == 0 {
			return m.finish()
		}
		if now := time.Now(); !more || now.Sub(m.flushed) >= flushEvery {
			m.flushed = now
			if err := m.flush(); err != nil {
				return err
			}
		}
		if !more {
			m.rest()
		}
	}
}

// collect takes what has come.
func (m *merge) collect() {
	g := m.g
	g.mu.Lock()
	defer g.mu.Unlock()
	m.fresh, g.fresh = g.fresh, m.fresh[:0]
	g.silent -= len(m.fresh)
	m.silent = g.silent
	m.look()
	m.over = g.closed && g.live == 0
	if g.cut != nil { // nothing is waited for any more
		m.silent, m.over = 0, true
	}
	g.control.give(&m.ahead)
}

// look finds out, under the lock, what need not wait any more.
func (m *merge) look() {
	m.oldest, _ = m.g.arrived.oldest()
	m.due = m.g.wait.now() - m.g.patience()
}

// admit puts a stream that has something at hand among those to be written.
func (m *merge) admit(s *Stream) error {
	ready, err := m.settle(s)
	if ready {
		m.heap.push(entry{timeOf(s.rest), s})
	}
	return err
}

// Where the fields of packets are, in bytes from the beginning of the block.
const (
	lengthAt    = 4
	interfaceAt = 8
	timeAt      = 12
)

func timeOf(packet []byte) int64 {
	high := binary.LittleEndian.Uint32(packet[timeAt:])
	low := binary.LittleEndian.Uint32(packet[timeAt+4:])
	return int64(high)<<32 | int64(low)
}

// write writes packets that need not wait, and says whether there may be more
// of them.
func (m *merge) write() (more bool, err error) {
	for range burst {
		if len(m.heap) == 0 {
			return false, nil
		}
		first := m.heap[0]
		s := first.stream
		if m.silent > 0 && m.oldest > m.due && first.time >= m.last {
			return false, nil
		}
		if first.time < m.last {
			s.late.count(m.last - first.time)
		}
		m.last = max(m.last, first.time)
		if err := m.packet(s); err != nil {
			return false, err
		}
		ready, err := m.settle(s)
		if err != nil {
			return false, err
		}
		if ready {
			m.heap[0].time = timeOf(s.rest)
			m.heap.sink()
		} else {
			m.heap.pop()
		}
	}
	return true, nil
}

// packet writes the next block of a stream, which is a packet.
func (m *merge) packet(s *Stream) error {
	n := binary.LittleEndian.Uint32(s.rest[lengthAt:])
	block := s.rest[:n]
	s.rest = s.rest[n:]
	room := m.writer.Room()
	if len(room) < len(block) {
		if err := m.writer.Flush(); err != nil {
			return err
		}
		room = m.writer.Room()
	}
	copy(room, block)
	return m.writer.Took(binary.LittleEndian.Uint32(block[interfaceAt:]), 1, len(block))
}

// settle writes what of a stream need not wait, and says whether there is a
// packet behind it.
func (m *merge) settle(s *Stream) (ready bool, err error) {
	for {
		for len(s.rest) > 0 {
			if binary.LittleEndian.Uint32(s.rest) == capfile.TypePacket {
				return true, nil
			}
			if err := m.statistics(s); err != nil {
				return false, err
			}
		}
		if !m.next(s) {
			return false, nil
		}
		if err := m.introduce(); err != nil { // what the piece may speak of
			return false, err
		}
	}
}

// statistics writes the next block of a stream, which is statistics. Those tell
// what is known of the node's clock by now.
func (m *merge) statistics(s *Stream) error {
	n := binary.LittleEndian.Uint32(s.rest[lengthAt:])
	block := capfile.Block{Type: capfile.TypeStatistics, Raw: s.rest[:n], Order: binary.LittleEndian}
	s.rest = s.rest[n:]
	m.g.mu.Lock()
	clock := s.result.Clock
	m.g.mu.Unlock()
	if !clock.Measured() {
		return m.writer.AddBlocks(block.Raw)
	}
	m.scratch = block.AppendWithComment(m.scratch[:0], clock.text())
	return m.writer.AddBlocks(m.scratch)
}

// next is done with a piece of a stream, and takes the one that follows. There
// may be none yet.
func (m *merge) next(s *Stream) bool {
	g := m.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := &s.piece; p.buf != nil {
		s.result.add(p, s.late)
		g.file.Late += s.late.packets
		s.late = lateness{}
		s.written++
		g.consumed(p.buf)
		m.look()
	}
	var ok bool
	if s.piece, ok = s.queue.pop(); ok {
		s.rest = s.piece.blocks
		g.control.give(&m.ahead)
		return true
	}
	s.rest = nil
	s.atHand = false
	if !s.ended {
		g.silent++
		if g.cut == nil {
			m.silent++
		}
		s.rouse() // it may wait for memory, and go back to its own now
	}
	return false
}

// flush writes the batch.
func (m *merge) flush() error {
	if m.writer == nil {
		return nil
	}
	err := m.writer.Flush()
	m.publish()
	return err
}

// publish lets Result know what was written.
func (m *merge) publish() {
	stats := m.writer.Stats()
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	m.g.file.Stats = stats
}

// rest waits until there is something to do.
func (m *merge) rest() {
	g := m.g
	var due <-chan time.Time
	if len(m.heap) > 0 { // and a silent stream holds it back
		g.mu.Lock()
		g.wait.start()
		m.timer.Reset(max(m.oldest-m.due, 0))
		g.mu.Unlock()
		due = m.timer.C
	}
	select {
	case <-g.wake:
	case <-due:
	}
	if due != nil {
		g.mu.Lock()
		g.wait.stop()
		g.mu.Unlock()
	}
}

// finish ends the file.
func (m *merge) finish() error {
	if m.writer == nil {
		_, err := m.g.out.Write(pcapwriter.AppendSection(nil, &m.g.config.Section))
		return err
	}
	err := m.writer.Close()
	m.publish()
	return err
}
