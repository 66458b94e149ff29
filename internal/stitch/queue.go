package stitch

import (
	"icap/internal/capfile"
)

// An entry is a block on its way to the output.
type entry struct {
	block capfile.Block
	view  View
	conn  *Conn // nil but for packets of redirected halves
}

// A queue is blocks that wait for one ahead of them, in their order, in memory
// of their own.
type queue struct {
	entries []*entry
	at      int // the first of them that waits
	bytes   int // of all blocks that wait
}

func (q *queue) len() int { return len(q.entries) - q.at }

func (q *queue) first() *entry { return q.entries[q.at] }

// push copies a block, whose memory the reader will use again.
func (q *queue) push(e *entry) {
	own := *e
	own.block.Raw = append([]byte(nil), e.block.Raw...)
	if p := e.block.Packet; p != nil {
		packet := *p
		packet.Data = own.block.Raw[p.At : p.At+len(p.Data)]
		if p.Options != nil {
			packet.Options = own.block.Raw[len(own.block.Raw)-4-len(p.Options) : len(own.block.Raw)-4]
		}
		own.block.Packet = &packet
		own.view.Data = packet.Data
	}
	q.entries = append(q.entries, &own)
	q.bytes += len(own.block.Raw)
}

// pop takes the first one off.
func (q *queue) pop() {
	q.bytes -= len(q.entries[q.at].block.Raw)
	q.entries[q.at] = nil
	if q.at++; q.at == len(q.entries) {
		q.entries, q.at = q.entries[:0], 0
	}
}
