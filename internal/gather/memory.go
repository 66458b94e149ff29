package gather

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
	pieces int  // handed over, and not written yet
	left   bool // its reader reads into it no more
}

func newBuffer(size int) *buffer { return &buffer{mem: make([]byte, size)} }

// A memory counts what is held.
type memory struct {
	limit  int64
	homes  int64     // bytes of those that streams have of their own
	lent   int64     // bytes of those that were lent to streams
	most   int64     // bytes of all that were ever held at a time
	free   []*buffer // of chunkSize
	hungry []*Stream // that wait for memory, in the order in which they came
}

// pool is how much there is to lend.
func (m *memory) pool() int64 { return max(m.limit-m.homes, leastPool) }

// fits says whether a buffer of so many bytes may be lent. The last quarter is
// for streams that the others wait for.
func (m *memory) fits(size int64, urgent bool) bool {
	room := m.pool()
	if !urgent {
		room -= room / 4
	}
	return m.lent+size <= room
}

// lend returns a buffer, or nil if there is no room for it.
func (m *memory) lend(need int, urgent bool) *buffer {
	size := chunkSize
	if need > size {
		size = maxBlock
	}
	if !m.fits(int64(size), urgent) {
		return nil
	}
	m.lent += int64(size)
	m.most = max(m.most, m.lent+m.homes)
	if n := len(m.free); n > 0 && size == chunkSize {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	m.trim()
	return newBuffer(size)
}

// addHome counts the buffer of another stream.
func (m *memory) addHome() {
	m.homes += homeSize
	m.most = max(m.most, m.lent+m.homes)
	m.trim()
}

// trim drops buffers that are free until all together keep to the limit.
func (m *memory) trim() {
	for n := len(m.free); n > 0 && m.lent+int64(n)*chunkSize > m.pool(); n = len(m.free) {
		m.free = m.free[:n-1]
	}
}

// take takes back a buffer.
func (m *memory) take(b *buffer) {
	switch len(b.mem) {
	case homeSize:
		m.homes -= homeSize
	case chunkSize:
		m.lent -= chunkSize
		b.left = false
		m.free = append(m.free, b)
	default:
		m.lent -= int64(len(b.mem))
	}
}

// leave says that a buffer is read into no more.
func (g *Gatherer) leave(b *buffer) {
	if b.left {
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
