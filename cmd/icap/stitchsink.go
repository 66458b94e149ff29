package main

import (
	"cmp"
	"errors"
	"time"

	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/stitch"
)

// A stitchSink gives redirected packets their addresses back on their way into
// another sink. The kernel's connection tracking tells them at once. Where it
// does not, they wait for the answer to them, which is microseconds behind, and
// what is behind them waits too.
type stitchSink struct {
	sink
	books   capture.Books
	session *session
	options stitch.Options
	table   stitch.Table
	waiting []*waiting
	bytes   int // of the packets that wait
	view    stitch.View
	out     capture.Packet
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

// Accounts takes note of where the capture counts. A sink behind that counts by
// itself does it there.
func (s *stitchSink) Accounts(live *capture.Result) {
	if s.session.flags.trigger.on() {
		accounts(s.sink, live)
		return
	}
	s.books.Open(live, s.sink)
}

// Failed is that of the sink behind.
func (s *stitchSink) Failed() <-chan struct{} { return failed(s.sink) }

// Due is when a packet is to be passed on, by this sink or the one behind.
func (s *stitchSink) Due() time.Duration {
	next := due(s.sink)
	if len(s.waiting) > 0 {
		left := max(stitchPatience-time.Since(s.waiting[0].packet.Timestamp()), time.Millisecond)
		if next == 0 || left < next {
			next = left
		}
	}
	return next
}

func (s *stitchSink) Packet(p *capture.Packet) error {
	excluded := s.books.Excluded(p)
	s.view.Data = p.Data
	var conn *stitch.Conn
	if s.view.DecodeLink(flow.LinkEthernet, p.Data) {
		conn = s.table.See(&s.view)
		s.translate(conn, p.Source)
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

// translate asks the kernel's connection tracking about a half that was
// captured on a source.
func (s *stitchSink) translate(conn *stitch.Conn, source int) {
	if conn != nil && !conn.Settled() {
		s.session.sources[source].tracking.restore(&s.table, conn)
	}
}

// drain passes on what does not wait any more.
func (s *stitchSink) drain() error {
	for len(s.waiting) > 0 {
		w := s.waiting[0]
		s.translate(w.conn, w.packet.Source)
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
	known := conn != nil && conn.Known()
	rewritten := known && !s.options.Annotate
	switch {
	case rewritten:
		conn.Rewrite(v)
	case s.options.Checksums:
		v.FillChecksum()
	}
	if known {
		s.out = *p
		s.out.Comment = remark(p.Comment, conn.Comment(rewritten))
		to = &s.out
	}
	err := s.sink.Packet(to)
	if err == nil {
		s.books.Passed(p, excluded)
	}
	return err
}

// Flush gives up what has waited for too long.
func (s *stitchSink) Flush() error {
	if err := s.drain(); err != nil {
		return err
	}
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
	if errors.Is(err, capture.ErrEnough) {
		err = nil
	}
	written, cerr := s.sink.Close(r)
	return written, cmp.Or(err, cerr)
}
