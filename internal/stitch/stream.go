package stitch

import (
	"io"

	"icap/internal/capfile"
)

// A Stream passes on the blocks of files in their order, each as soon as it is
// known what becomes of it. Packets wait for the answer to a redirected one
// ahead of them, which on a loopback interface follows within microseconds.
type Stream struct {
	emit  func(*Entry) error
	hold  int
	table Table
	queue queue

	conntrack *Translations // nil if nothing is known
	entry     Entry         // the one that is being taken
}

// An Entry is one block that leaves a Stream. It is valid during the call that
// it is passed to.
type Entry struct {
	Block capfile.Block
	// View has the headers of a packet of TCP or UDP; else its Transport is
	// 0.
	View View
	// Conn is nil but for packets of redirected halves.
	Conn *Conn
}

const defaultHold = 64 << 20

// NewStream passes blocks to emit. At most hold bytes wait, 0 meaning 64 MiB:
// beyond that, the oldest redirected packet stays as it is.
func NewStream(hold int, emit func(*Entry) error) *Stream {
	if hold <= 0 {
		hold = defaultHold
	}
	return &Stream{emit: emit, hold: hold}
}

// File takes a whole file. An error of the input comes after all that could be
// read of it was taken.
func (s *Stream) File(in *capfile.Reader) error {
	for {
		b, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.take(b); err != nil {
			return err
		}
	}
}

// Flush gives up what still waits, and passes everything on.
func (s *Stream) Flush() error {
	for s.queue.len() > 0 {
		s.queue.first().Conn.GiveUp()
		if err := s.drain(); err != nil {
			return err
		}
	}
	return nil
}

// take takes the next block of a file.
func (s *Stream) take(b *capfile.Block) error {
	e := &s.entry
	*e = Entry{Block: *b}
	if p := b.Packet; p != nil {
		e.View.Data = p.Data
		if e.View.DecodeLink(p.Interface.LinkType, p.Data) {
			e.Conn = s.table.See(&e.View)
			if e.Conn != nil && s.conntrack != nil {
				s.table.Translate(e.Conn, s.conntrack)
			}
		}
	}
	if s.queue.len() == 0 && (e.Conn == nil || e.Conn.Decided()) {
		return s.emit(e)
	}
	s.queue.push(e)
	for s.queue.bytes > s.hold {
		s.queue.first().Conn.GiveUp()
		if err := s.drain(); err != nil {
			return err
		}
	}
	return s.drain()
}

// drain passes on what does not wait any more.
func (s *Stream) drain() error {
	for s.queue.len() > 0 {
		e := s.queue.first()
		if e.Conn != nil && !e.Conn.Decided() {
			return nil
		}
		if err := s.emit(e); err != nil {
			return err
		}
		s.queue.pop()
	}
	return nil
}
