package gather

import (
	"fmt"
	"io"

	"icap/internal/capfile"
)

// read reads the stream until it ends, and returns what is wrong with it.
func (s *Stream) read() error {
	for idle := 0; ; {
		if !s.makeRoom() {
			return ErrClosed
		}
		free := s.buf.mem[s.filled:]
		n, err := s.in.Read(free)
		s.short = n < len(free)
		s.filled += n
		if s.g.config.Align {
			s.aim()
		}
		if err := s.parse(); err != nil {
			return err
		}
		switch {
		case err == io.EOF:
			return s.torn()
		case err != nil:
			return err
		case n > 0:
			idle = 0
		default:
			if idle++; idle > maxIdle {
				return io.ErrNoProgress
			}
		}
	}
}

// aim corrects what comes by what is known of the clock.
func (s *Stream) aim() {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	if clock := s.result.Clock; clock.Measured() {
		s.shift.aim(clock)
	}
}

// maxIdle is how many reads in a row may bring nothing.
const maxIdle = 100

// parse looks at all blocks that are whole, and hands them over.
func (s *Stream) parse() error {
	defer s.hand()
	for {
		rest := s.buf.mem[s.parsed:s.filled]
		s.need = capfile.HeadLen
		if len(rest) < s.need {
			return nil
		}
		n, err := s.decoder.Size(rest)
		if err != nil {
			return err
		}
		if n > maxBlock {
			return s.wrong(fmt.Sprintf("it has %d bytes, more than a packet can have", n))
		}
		if s.need = n; n > len(rest) {
			return nil
		}
		b, err := s.decoder.Decode(rest[:n])
		if err != nil {
			return err
		}
		queued, err := s.look(b)
		if err != nil {
			return err
		}
		if !queued {
			s.hand()
			s.handed += n
		}
		s.parsed += n
	}
}

func (s *Stream) wrong(reason string) error {
	return &capfile.FormatError{Offset: s.decoder.Offset(), Reason: reason}
}

// torn is the error if the stream has ended inside a block.
func (s *Stream) torn() error {
	if n := s.filled - s.parsed; n > 0 {
		return &capfile.TornError{Offset: s.decoder.Offset(), Missing: s.need - n}
	}
	return nil
}

// hand hands over what was looked at.
func (s *Stream) hand() {
	blocks := s.buf.mem[s.handed:s.parsed]
	if len(blocks) == 0 {
		return
	}
	g := s.g
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.wait.now()
	if s.queue.push(piece{s.buf, blocks, s.packets, now}, g.config.Delay/64) {
		g.arrived.add(s, now)
	}
	s.handed, s.packets = s.parsed, 0
	if !s.atHand {
		s.atHand = true
		g.fresh = append(g.fresh, s)
		g.signal()
	}
}

// makeRoom sees to it that the buffer has room for the block that is being
// read. It waits for memory, and is false when none is needed any more.
func (s *Stream) makeRoom() bool {
	g := s.g
	g.mu.Lock()
	defer g.mu.Unlock()
	for waits := false; ; waits = true {
		if g.cut != nil {
			g.sate(s)
			return false
		}
		if b := s.place(); b != nil {
			if waits {
				g.sate(s)
			}
			s.move(b)
			return true
		}
		if !waits {
			g.memory.hungry = append(g.memory.hungry, s)
			g.signal() // the merge waits less when memory is short
		}
		g.mu.Unlock()
		select {
		case <-s.wake:
		case <-g.stopped:
		}
		g.mu.Lock()
	}
}

// place is the buffer to read into next, nil if there is no memory.
func (s *Stream) place() *buffer {
	if s.home == nil {
		return s.g.memory.house(s)
	}
	switch idle := s.buf.pieces == 0; {
	case idle && s.short && s.fitsHome():
		return s.home // a stream that pauses needs no more
	case idle && s.need <= len(s.buf.mem):
		return s.buf
	case s.parsed+s.need <= len(s.buf.mem) && len(s.buf.mem)-s.filled >= len(s.buf.mem)/8:
		return s.buf
	case s.fitsHome():
		return s.home
	}
	return s.g.memory.lend(s)
}

// fitsHome says whether the stream's own buffer is free, and does.
func (s *Stream) fitsHome() bool { return s.home.pieces == 0 && s.need <= homeSize }

// served says whether a stream that waits for memory would get some now.
func (s *Stream) served() bool {
	if s.home == nil {
		return s.g.memory.housed()
	}
	return s.fitsHome() || s.buf.pieces == 0 && s.need <= len(s.buf.mem) || s.g.memory.fits(s)
}

// move goes on reading in another buffer, or at the beginning of the same one
// when nothing of it waits to be written.
func (s *Stream) move(to *buffer) {
	from := s.buf
	switch {
	case from == nil:
		s.buf = to
		return
	case from == to && from.pieces > 0:
		return
	}
	s.filled = copy(to.mem, from.mem[s.parsed:s.filled])
	s.parsed, s.handed = 0, 0
	if s.buf = to; from != to && from != s.home {
		s.g.leave(from)
	}
}

// sate takes a stream off the list of those that wait for memory.
func (g *Gatherer) sate(s *Stream) {
	for i, other := range g.memory.hungry {
		if other == s {
			g.memory.hungry = append(g.memory.hungry[:i], g.memory.hungry[i+1:]...)
			break
		}
	}
	g.feed()
}
