package gather

import "time"

// A piece is blocks of one stream that lie one after the other: packets and
// statistics, ready to be written.
type piece struct {
	buf     *buffer
	blocks  []byte
	packets int
	arrived time.Duration // on the clock of the hold
}

// A queue has the pieces of a stream that wait.
type queue struct {
	pieces []piece
	first  int // the first that is not taken
}

func (q *queue) empty() bool { return q.first == len(q.pieces) }

// push adds a piece. One that follows the last in memory, and in no more than
// spread of time, becomes part of it, and grows is false.
func (q *queue) push(p piece, spread time.Duration) (grows bool) {
	if !q.empty() {
		last := &q.pieces[len(q.pieces)-1]
		if last.buf == p.buf && p.arrived-last.arrived <= spread && last.joins(p.blocks) {
			last.blocks = last.blocks[:len(last.blocks)+len(p.blocks)]
			last.packets += p.packets
			return false
		}
	}
	if q.first > 0 && len(q.pieces) == cap(q.pieces) {
		n := copy(q.pieces, q.pieces[q.first:])
		clear(q.pieces[n:])
		q.pieces, q.first = q.pieces[:n], 0
	}
	p.buf.pieces++
	q.pieces = append(q.pieces, p)
	return true
}

// joins says whether blocks lie right behind those of the piece. Both are of one
// buffer.
func (p *piece) joins(blocks []byte) bool {
	n := len(p.blocks)
	return n < cap(p.blocks) && &p.blocks[:n+1][n] == &blocks[0]
}

// pop takes the first piece.
func (q *queue) pop() (p piece, ok bool) {
	if q.empty() {
		return p, false
	}
	p = q.pieces[q.first]
	q.pieces[q.first] = piece{}
	if q.first++; q.empty() {
		q.pieces, q.first = q.pieces[:0], 0
	}
	return p, true
}

// An arrival is a piece by when it came.
type arrival struct {
	stream *Stream
	number uint64 // of the stream's pieces, from 1
	at     time.Duration
}

// arrivals are those of all pieces, in order. The first is not written yet.
type arrivals struct {
	all   []arrival
	first int
}

func (a *arrivals) add(s *Stream, at time.Duration) {
	s.pieces++
	if a.first > 0 && len(a.all) == cap(a.all) {
		a.all = a.all[:copy(a.all, a.all[a.first:])]
		a.first = 0
	}
	a.all = append(a.all, arrival{s, s.pieces, at})
}

// oldest is when the piece came that waits for the longest time. There may be
// none.
func (a *arrivals) oldest() (at time.Duration, ok bool) {
	for ; a.first < len(a.all); a.first++ {
		if next := &a.all[a.first]; next.number > next.stream.written {
			return next.at, true
		}
	}
	a.all, a.first = a.all[:0], 0
	return 0, false
}
