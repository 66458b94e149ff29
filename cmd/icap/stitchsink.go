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
	table   stitch.Table
	waiting []*waiting
	bytes   int // of the packets that wait
	view    stitch.View
}

// A waiting packet has its data in memory of its own: that of the ring goes
// back to the kernel.
type waiting struct {
	packet capture.Packet
	view   stitch.View
	conn   *stitch.Conn
}

// Bounds of the waiting: how long a packet waits for its answer, once nothing
// else is at hand, and how many bytes wait at most.
const (
	stitchPatience = 200 * time.Millisecond
	stitchHold     = 16 << 20
)

// stitchNote is what the file says of itself.
const stitchNote = "stitched: packets that were redirected to this host's loopback have the addresses back that the app saw; their comments say what was captured"

func (s *stitchSink) Packet(p *capture.Packet) error {
	s.view.Data = p.Data
	var conn *stitch.Conn
	if s.view.DecodeLink(flow.LinkEthernet, p.Data) {
		conn = s.table.See(&s.view)
	}
	if len(s.waiting) == 0 && (conn == nil || conn.Decided()) {
		return s.pass(p, &s.view, conn)
	}
	w := &waiting{packet: *p, view: s.view, conn: conn}
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
		if err := s.pass(&w.packet, &w.view, w.conn); err != nil {
			return err
		}
		s.bytes -= len(w.packet.Data)
		s.waiting = s.waiting[1:]
	}
	return nil
}

// pass hands a packet on, with its addresses if they are known.
func (s *stitchSink) pass(p *capture.Packet, v *stitch.View, conn *stitch.Conn) error {
	if conn == nil || !conn.Known() {
		return s.sink.Packet(p)
	}
	restored := *p
	restored.Comment = conn.Captured()
	conn.Rewrite(v)
	return s.sink.Packet(&restored)
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
