package gather

import (
	"time"

	"icap/pcapwriter"
)

// A Result tells what became of all streams.
type Result struct {
	// Streams are all that were added, in this order.
	Streams []StreamResult
	// Packets and Bytes were taken by the kernel, for the output; packets
	// that were Lost were not, because the output failed.
	Packets, Bytes, Lost uint64
	// Late are the packets that came when younger ones were written.
	Late uint64
	// Held is how much memory is used for what waits, in bytes, and MostHeld
	// the most that ever was.
	Held, MostHeld int64
}

// A StreamResult tells what became of one stream.
type StreamResult struct {
	Node     string
	Sections int // that it had
	// Clock is what was measured last.
	Clock Offset
	// Packets and Bytes were merged; those of the last piece are not counted
	// yet while that is being written.
	Packets, Bytes uint64
	// Late are those packets that came when younger ones of other streams
	// were written, by LateBy at most.
	Late   uint64
	LateBy time.Duration
	// Received and Dropped are how many packets the node's rings received and
	// lost, as its last statistics say.
	Received, Dropped uint64
	// Skipped is how many blocks were left out because their types are not
	// known.
	Skipped uint64
	// Ended says that nothing will come any more. Then Err is why, nil if the
	// stream ended in order: ErrNothing, ErrCut, a *capfile.TornError or
	// *capfile.FormatError, what its Read returned, or why everything ended.
	Ended bool
	Err   error
}

// fileCounts are those of the whole file.
type fileCounts struct {
	pcapwriter.Stats
	Late uint64
}

// A lateness counts late packets.
type lateness struct {
	packets uint64
	most    int64 // nanoseconds
}

func (l *lateness) count(by int64) {
	l.packets++
	l.most = max(l.most, by)
}

// add counts a piece that was written.
func (r *StreamResult) add(p *piece, late lateness) {
	r.Packets += uint64(p.packets)
	r.Bytes += uint64(len(p.blocks))
	r.Late += late.packets
	r.LateBy = max(r.LateBy, time.Duration(late.most))
}

// Result tells how far it is. It may be called at any time.
func (g *Gatherer) Result() *Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &Result{
		Packets:  g.file.Packets,
		Bytes:    g.file.Bytes,
		Lost:     g.file.Lost,
		Late:     g.file.Late,
		Held:     g.memory.held,
		MostHeld: g.memory.most,
	}
	for _, s := range g.streams {
		r.Streams = append(r.Streams, s.told())
	}
	return r
}

// Result tells what became of the stream so far.
func (s *Stream) Result() StreamResult {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	return s.told()
}

func (s *Stream) told() StreamResult {
	r := s.result
	for _, ring := range s.rings {
		r.Received += ring.received
		r.Dropped += ring.dropped
	}
	return r
}
