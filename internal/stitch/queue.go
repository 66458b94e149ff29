package stitch

import "icap/internal/capfile"

// A queue is blocks that wait for one ahead of them, in their order, in memory
// of their own.
type queue struct {
	entries []*Entry
	at      int // the first of them that waits
	bytes   int // of all blocks that wait
}

func (q *queue) len() int { return len(q.entries) - q.at }

func (q *queue) first() *Entry { return q.entries[q.at] }

// push copies a block, whose memory the reader will use again.
func (q *queue) push(e *Entry) {
	own := *e
	var packet *capfile.Packet
	if e.Block.Packet != nil {
		packet = new(capfile.Packet)
	}
	own.Block = e.Block.Moved(append([]byte(nil), e.Block.Raw...), packet)
	if packet != nil {
		own.View.Data = packet.Data
	}
	q.entries = append(q.entries, &own)
	q.bytes += len(own.Block.Raw)
}

// pop takes the first one off.
func (q *queue) pop() {
	q.bytes -= len(q.entries[q.at].Block.Raw)
	q.entries[q.at] = nil
	if q.at++; q.at == len(q.entries) {
		q.entries, q.at = q.entries[:0], 0
	}
}
