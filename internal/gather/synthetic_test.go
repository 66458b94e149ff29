package gather_test

import (
	"encoding/binary"
	"io"
	"sync/atomic"

	"icap/pcapwriter"
)

// A synthetic stream makes packets as fast as they are read, or until it is
// closed: a batch of them is encoded once, and gets new times again and again.
type synthetic struct {
	batch []byte
	times []int // where they are in the batch
	rest  []byte
	now   int64 // of the next packet, in nanoseconds
	step  int64 // between two
	left  int   // packets that are to come; those of a whole batch
	ends  []byte
	read  *atomic.Int64 // bytes, of all streams
}

// newSynthetic makes the stream of one of so many nodes, with at least so many
// packets of some size.
func newSynthetic(node, nodes, packets, size int, read *atomic.Int64) *synthetic {
	const inBatch = 32
	s := oneLeg("web")
	y := &synthetic{now: int64(node), step: int64(nodes), read: read}
	y.rest = s.take()
	for range inBatch {
		y.times = append(y.times, len(s.b)+12)
		s.add(&pcapwriter.Packet{Data: make([]byte, size), Direction: pcapwriter.Inbound, Reception: pcapwriter.Unicast})
	}
	y.batch = s.take()
	for y.left < packets {
		y.left += inBatch
	}
	s.delivered[0] = uint64(y.left)
	s.statistics(1)
	y.ends = s.take()
	return y
}

func (y *synthetic) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if len(y.rest) == 0 && !y.refill() {
			break
		}
		copied := copy(b[n:], y.rest)
		y.rest = y.rest[copied:]
		n += copied
	}
	y.read.Add(int64(n))
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (y *synthetic) refill() bool {
	if y.left == 0 {
		y.rest, y.ends = y.ends, nil
		return len(y.rest) > 0
	}
	for _, at := range y.times {
		binary.LittleEndian.PutUint32(y.batch[at:], uint32(y.now>>32))
		binary.LittleEndian.PutUint32(y.batch[at+4:], uint32(y.now))
		y.now += y.step
	}
	y.left -= len(y.times)
	y.rest = y.batch
	return true
}

func (*synthetic) Close() error { return nil }
