package gather

import (
	"errors"
	"io"
	"sync"

	"icap/internal/capfile"
)

// Errors of a stream that came to its end.
var (
	// ErrNothing means that it ended before it began.
	ErrNothing = errors.New("the stream ended before it began")
	// ErrCut means that packets came after the last statistics: the capture
	// was killed, or the connection ended between two blocks.
	ErrCut = errors.New("the stream ended without its last statistics")
)

// A Stream is one that was added.
type Stream struct {
	g    *Gatherer
	in   io.ReadCloser
	once sync.Once     // for closing it
	wake chan struct{} // there may be memory for it

	// Of its reader.
	decoder capfile.Decoder
	buf     *buffer // that is read into
	filled  int     // bytes of it that were read
	parsed  int     // of those, bytes of whole blocks that were looked at
	handed  int     // of those, bytes that were handed over
	packets int     // in blocks that are not handed over
	need    int     // bytes that the next block takes
	short   bool    // the last read did not fill the buffer
	begun   bool    // there was a section header
	since   int     // packets behind the last statistics
	section section
	shift   shift

	// Under the lock of the Gatherer.
	home    *buffer
	lent    int // buffers that it has beside
	queue   queue
	pieces  uint64 // that were queued
	written uint64 // of those
	atHand  bool   // it has something in the queue, or in the hands of the merge
	ended   bool
	rings   []ring
	result  StreamResult

	// Of the merge.
	piece piece  // that is being written
	rest  []byte // of the piece
	late  lateness
}

func newStream(g *Gatherer, src *Source) *Stream {
	return &Stream{
		g:      g,
		in:     src.Stream,
		wake:   make(chan struct{}, 1),
		need:   capfile.HeadLen,
		result: StreamResult{Node: src.Node, Clock: src.Clock},
	}
}

// SetClock tells what was measured of the node's clock since. The statistics
// that follow tell it, and with Config.Align it is what times are corrected by:
// little by little, lest packets get out of order, unless the clock was set.
func (s *Stream) SetClock(o Offset) {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	s.result.Clock = o
}

// close makes a pending Read return.
func (s *Stream) close() {
	s.once.Do(func() { _ = s.in.Close() }) // what it delivered has been told
}

// run reads the stream to its end.
func (s *Stream) run() {
	err := s.read()
	s.close()
	if err == nil {
		err = s.verdict()
	}
	g := s.g
	g.mu.Lock()
	defer g.mu.Unlock()
	s.ended = true
	if g.cut == nil {
		s.result.Ended, s.result.Err = true, err
	}
	g.live--
	g.memory.remove(s)
	if !s.atHand {
		g.silent--
	}
	g.leave(s.buf)
	g.leave(s.home)
	g.signal()
}

// verdict says what is wrong with a stream that has come to an end between two
// blocks.
func (s *Stream) verdict() error {
	switch {
	case !s.begun:
		return ErrNothing
	case s.since > 0:
		return ErrCut
	}
	return nil
}
