package capture

// A queue holds copies of packets in the order in which they came, in chunks of
// memory that are used again.
type queue struct {
	chunks []*chunk // all but the first and the last are full
	spare  []*chunk
	size   int // memory of the packets that are held, in bytes
}

// A chunk has room for a largest packet at least.
type chunk struct {
	data    []byte
	packets []held
	next    int // the first packet that is still held
}

// A held packet has its data in its chunk.
type held struct {
	packet   Packet
	excluded uint64
}

// Sizes of chunks, how many are kept for later use, and what a packet takes
// besides its data, in bytes.
const (
	chunkLen     = 1 << 20
	chunkPackets = 1 << 12
	spareChunks  = 4
	heldLen      = 192
)

func (q *queue) push(p *Packet, excluded uint64) {
	c := q.room(len(p.Data))
	start := len(c.data)
	c.data = append(c.data, p.Data...)
	h := held{*p, excluded}
	h.packet.Data = c.data[start:len(c.data):len(c.data)]
	c.packets = append(c.packets, h)
	q.size += heldLen + len(p.Data)
}

// room is the last chunk if it has room, or a new one.
func (q *queue) room(n int) *chunk {
	if last := len(q.chunks) - 1; last >= 0 {
		c := q.chunks[last]
		if len(c.data)+n <= cap(c.data) && len(c.packets) < chunkPackets {
			return c
		}
	}
	var c *chunk
	if last := len(q.spare) - 1; last >= 0 && n <= chunkLen {
		c, q.spare = q.spare[last], q.spare[:last]
	} else {
		c = &chunk{data: make([]byte, 0, max(n, chunkLen))}
	}
	q.chunks = append(q.chunks, c)
	return c
}

// oldest is the first packet, nil if there is none.
func (q *queue) oldest() *held {
	if len(q.chunks) == 0 {
		return nil
	}
	c := q.chunks[0]
	return &c.packets[c.next]
}

// youngest is the last packet, nil if there is none.
func (q *queue) youngest() *held {
	if len(q.chunks) == 0 {
		return nil
	}
	c := q.chunks[len(q.chunks)-1]
	return &c.packets[len(c.packets)-1]
}

// pop takes the first packet off. Its data may be overwritten from now on.
func (q *queue) pop() {
	c := q.chunks[0]
	q.size -= heldLen + len(c.packets[c.next].packet.Data)
	if c.next++; c.next < len(c.packets) {
		return
	}
	q.chunks = append(q.chunks[:0], q.chunks[1:]...)
	if cap(c.data) == chunkLen && len(q.spare) < spareChunks {
		c.data, c.packets, c.next = c.data[:0], c.packets[:0], 0
		q.spare = append(q.spare, c)
	}
}
