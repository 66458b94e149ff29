package gather

import "slices"

// Sizes of memory, in bytes.
const (
	homeSize  = 16 << 10  // that every stream has
	chunkSize = 128 << 10 // lent to those that need more; two of the largest segments of TCP
	maxBlock  = 1 << 20   // the longest block that is taken from a stream
	leastPool = 2 * maxBlock
)

// A buffer is memory that a stream is read into, and that the merge writes
// from. It is under the lock of the Gatherer, but for its bytes.
type buffer struct {
	mem    []byte
	of     *Stream
	pieces int  // handed over, and not written yet
	left   bool // its reader reads into it no more
}

// A memory counts what is held.
//
// Every stream has a small buffer of its own, and may have one that is lent to
// it at any time, or else those that others wait for would have to wait for
// these. More are lent from what is left beside that.
type memory struct {
	limit   int64
	homes   int64     // bytes that are kept for the streams' own
	held    int64     // bytes of all that streams have
	lent    int64     // of those, bytes that were lent
	streams int64     // that have not ended
	holders int64     // of those, streams that were lent some
	most    int64     // bytes of all that were ever held at a time
	free    []*buffer // of chunkSize
	hungry  []*Stream // that wait for memory, in the order in which they came
}

// pool is how much there is to lend.
func (m *memory) pool() int64 { return max(m.limit-m.homes, leastPool) }

// housed says whether there is room for one more stream's own buffer. It is
// kept for it, but may be lent still when the stream is added.
func (m *memory) housed() bool { return m.held+homeSize <= m.homes+m.pool() }

// hold counts memory that a stream got, or gave back.
func (m *memory) hold(size int64) {
	m.held += size
	m.most = max(m.most, m.held)
}

// sizeFor is the size of a buffer for a block of so many bytes.
func sizeFor(need int) int64 {
	if need > chunkSize {
		return maxBlock
	}
	return chunkSize
}

// fits says whether a stream may be lent a buffer.
func (m *memory) fits(s *Stream) bool {
	room := m.pool()
	if s.lent > 0 {
		room -= min((m.streams-m.holders)*chunkSize, room/4*3)
	}
	return m.lent+sizeFor(s.need) <= room
}

// lend returns a buffer, or nil if there is no room for it.
func (m *memory) lend(s *Stream) *buffer {
	if !m.fits(s) {
		return nil
	}
	size := sizeFor(s.need)
	m.lent += size
	m.hold(size)
	if s.lent++; s.lent == 1 {
		m.holders++
	}
	if n := len(m.free); n > 0 && size == chunkSize {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		b.of = s
		return b
	}
	m.trim()
	return &buffer{mem: make([]byte, size), of: s}
}

// add counts another stream.
func (m *memory) add() {
	m.homes += homeSize
	m.streams++
	m.trim()
}

// house returns a stream's own buffer, or nil if there is no room for it yet.
func (m *memory) house(s *Stream) *buffer {
	if !m.housed() {
		return nil
	}
	m.hold(homeSize)
	s.home = &buffer{mem: make([]byte, homeSize), of: s}
	return s.home
}

// remove counts a stream that has ended. What it holds is taken back later.
func (m *memory) remove(s *Stream) {
	m.streams--
	if s.lent > 0 {
		m.holders--
	}
	if s.home == nil {
		m.homes -= homeSize
	}
}

// trim drops buffers that are free until all together keep to the limit.
func (m *memory) trim() {
	for n := len(m.free); n > 0 && m.lent+int64(n)*chunkSize > m.pool(); n = len(m.free) {
		m.free = m.free[:n-1]
	}
}

// take takes back a buffer.
func (m *memory) take(b *buffer) {
	m.hold(-int64(len(b.mem)))
	if b == b.of.home {
		m.homes -= homeSize
		return
	}
	m.lent -= int64(len(b.mem))
	if b.of.lent--; b.of.lent == 0 && !b.of.ended {
		m.holders--
	}
	if len(b.mem) == chunkSize {
		b.of, b.left = nil, false
		m.free = append(m.free, b)
	}
}

// starved says whether a stream that others wait for waits for their memory.
func (m *memory) starved() bool {
	return slices.ContainsFunc(m.hungry, func(s *Stream) bool { return !s.atHand && !s.served() })
}

// leave says that a buffer is read into no more.
func (g *Gatherer) leave(b *buffer) {
	if b == nil || b.left {
		return
	}
	b.left = true
	if b.pieces == 0 {
		g.takeBack(b)
	}
}

// consumed says that a piece of a buffer was written.
func (g *Gatherer) consumed(b *buffer) {
	b.pieces--
	if b.pieces == 0 && b.left {
		g.takeBack(b)
	}
}

// takeBack takes back a buffer, for the streams that wait for one.
func (g *Gatherer) takeBack(b *buffer) {
	g.memory.take(b)
	g.feed()
}

// feed wakes the first stream for which there is memory. It feeds the next one.
func (g *Gatherer) feed() {
	for _, s := range g.memory.hungry {
		if s.served() {
			s.rouse()
			return
		}
	}
}

// rouse lets a stream that waits for memory look again.
func (s *Stream) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
