package capture

// relief is memory into which blocks move that wait for their turn, so that
// they do not take the ring's room from the kernel.
type relief struct {
	used int      // bytes of blocks that have moved
	free [][]byte // buffers for reuse
}

// reliefLimit is the most memory that waiting blocks take outside of their
// rings, in bytes. Beyond it the order is given up.
const reliefLimit = 64 << 20

func (r *relief) exhausted() bool { return r.used > reliefLimit }

// relieve moves blocks that have to wait out of the rings that would soon be
// without room for the kernel.
func (m *merge) relieve() {
	for _, r := range m.runs {
		blocks := m.config.Rings[r.ring].Geometry().Blocks
		if 2*m.held[r.ring] <= blocks || r.moved != nil || m.relief.exhausted() {
			continue
		}
		r.moved = m.relief.buffer(r.block.Size())
		r.block.Move(r.moved)
		m.held[r.ring]--
	}
}

// buffer is memory of a size.
func (r *relief) buffer(size int) []byte {
	r.used += size
	for n := len(r.free); n > 0; n = len(r.free) {
		b := r.free[n-1]
		r.free = r.free[:n-1]
		if cap(b) >= size {
			return b[:size]
		}
	}
	return make([]byte, size)
}

// putBack takes back what buffer gave.
func (r *relief) putBack(b []byte) {
	r.used -= len(b)
	r.free = append(r.free, b)
}
