package main

import (
	"time"

	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/stitch"
)

// A stitchSink gives redirected packets their addresses back on their way into
// another sink. They wait for the answer to them, which is microseconds behind,
// and what is behind them waits too.
type stitchSink struct {
	sink
	books   capture.Books
	table   stitch.Table
	waiting []*waiting
	bytes   int // of the packets that wait
	view    stitch.View
}

// A waiting packet has its data in memory of its own: that of the ring goes
// back to the kernel.
type waiting struct {
	packet   capture.Packet
	excluded uint64 // for the books
	view     stitch.View
	conn     *stitch.Conn
}

// Bounds of the waiting: how long a packet waits for its answer, once nothing
// else is at hand, and how many bytes wait at most.
const (
	stitchPatience = 200 * time.Millisecond
	stitchHold     = 16 << 20
)

// stitchNote is what the file says of itself.
const stitchNote = "stitched: packets that were redirected to this host's loopback have the addresses back that the app saw; their comments say what was captured"

// Accounts takes note of where the capture counts.
func (s *stitchSink) Accounts(live *capture.Result) { s.books.Open(live, s.sink) }

// Failed is that of the sink behind.
func (s *stitchSink) Failed() <-chan struct{} {
	if b, ok := s.sink.(capture.Background); ok {
		return b.Failed()
	}
	return nil
}

// Due is when a packet is to be passed on, by this sink or the one behind.
func (s *stitchSink) Due() (due time.Duration) {
	if h, ok := s.sink.(capture.Holder); ok {
		due = h.Due()
	}
	if len(s.waiting) > 0 {
		left := max(stitchPatience-time.Since(s.waiting[0].packet.Timestamp()), time.Millisecond)
		if due == 0 || left < due {
			due = left
		}
	}
	return due
}

func (s *stitchSink) Packet(p *capture.Packet) error {
	excluded := s.books.Excluded(p)
	s.view.Data = p.Data
	var conn *stitch.Conn
	if s.view.DecodeLink(flow.LinkEthernet, p.Data) {
		conn = s.table.See(&s.view)
	}
	if len(s.waiting) == 0 && (conn == nil || conn.Decided()) {
		return s.pass(p, excluded, &s.view, conn)
	}
	w := &waiting{packet: *p, excluded: excluded, view: s.view, conn: conn}
	w.packet.Data = append([]byte(nil), p.Data...)
	w.view.Data = w.packet.Data
	s.waiting = append(s.waiting, w)
	for s.bytes += len(p.Data); s.bytes > stitchHold; {
		s.waiting[0].conn.GiveUp()
		if err := s.drain(); err != nil {
			return err
		}
	}
	return s.drain()
}

// drain passes on what does not wait any more.
func (s *stitchSink) drain() error {
	for len(s.waiting) > 0 {
		w := s.waiting[0]
		if w.conn != nil && !w.conn.Decided() {
			return nil
		}
		if err := s.pass(&w.packet, w.excluded, &w.view, w.conn); err != nil {
			return err
		}
		s.bytes -= len(w.packet.Data)
		s.waiting = s.waiting[1:]
	}
	return nil
}

// pass hands a packet on, with its addresses if they are known.
func (s *stitchSink) pass(p *capture.Packet, excluded uint64, v *stitch.View, conn *stitch.Conn) error {
	to := p
	if conn != nil && conn.Known() {
		restored := *p
		restored.Comment = conn.Captured()
		conn.Rewrite(v)
		to = &restored
	}
	err := s.sink.Packet(to)
	if err == nil {
		s.books.Passed(p, excluded)
	}
	return err
}

// Flush gives up what has waited for too long.
func (s *stitchSink) Flush() error {
	for len(s.waiting) > 0 && time.Since(s.waiting[0].packet.Timestamp()) > stitchPatience {
		s.waiting[0].conn.GiveUp()
		if err := s.drain(); err != nil {
			return err
		}
	}
	return s.sink.Flush()
}

// Close gives up whatever still waits.
func (s *stitchSink) Close(r *capture.Result) (written []uint64, err error) {
	for len(s.waiting) > 0 && err == nil {
		s.waiting[0].conn.GiveUp()
		err = s.drain()
	}
	written, cerr := s.sink.Close(r)
	if err == nil {
		err = cerr
	}
	return written, err
}
