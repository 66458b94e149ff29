package main

import (
	"slices"
	"time"

	"icap/internal/capture"
)

// A sample is what became of the packets so far. All counts only grow.
type sample struct {
	result  *capture.Result
	written []uint64 // packets of each interface
	bytes   uint64   // in the output
}

// answer leaves a sample for who asked, in place of an older one.
func (t *track) answer(r *capture.Result) {
	if t.cut.Swap(false) {
		t.out.Cut()
	}
	own := *r
	own.Sources = slices.Clone(r.Sources)
	s := sample{result: &own}
	s.written, s.bytes = t.out.Written()
	select {
	case <-t.told:
	default:
	}
	t.told <- s
}

// patience is how long a track may take to answer. One that waits for its
// output to be written does not.
const patience = time.Second

// sample asks for the counts, and waits for them until the deadline.
func (t *track) sample(deadline <-chan time.Time) (s sample, ok bool) {
	select {
	case t.ask <- struct{}{}:
	case <-deadline:
		return s, false
	}
	select {
	case s = <-t.told:
		return s, true
	case <-deadline:
		return s, false
	}
}

// sample adds up those of all tracks. It is not ok when one did not answer.
func (s *session) sample() (sum sample, ok bool) {
	sum.result = new(capture.Result)
	for _, t := range s.tracks {
		select {
		case <-t.told: // an answer that came too late
		default:
		}
	}
	deadline := time.After(patience)
	for _, t := range s.tracks {
		one, ok := t.sample(deadline)
		if !ok {
			return sum, false
		}
		sum.add(&one)
	}
	return sum, true
}

// cut has all tracks begin new files, between two packets: one that waits for its
// output to be written does so later.
func (s *session) cut() {
	for _, t := range s.tracks {
		t.cut.Store(true)
	}
	_, _ = s.sample() // only the asking matters
}

// add adds up the counts of two tracks. All tracks have the same sources and
// interfaces, though not from the same moment on.
func (s *sample) add(t *sample) {
	if n := len(t.result.Sources) - len(s.result.Sources); n > 0 {
		s.result.Sources = append(s.result.Sources, make([]capture.Source, n)...)
	}
	if n := len(t.written) - len(s.written); n > 0 {
		s.written = append(s.written, make([]uint64, n)...)
	}
	s.result.Add(t.result)
	s.bytes += t.bytes
	for i, n := range t.written {
		s.written[i] += n
	}
}

// filled is how much of the fullest ring waits to be read, in percent.
func (s *session) filled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := 0
	for _, t := range s.tracks {
		for _, r := range t.rings {
			most = max(most, 100*r.Filled()/max(r.Geometry().Blocks, 1))
		}
	}
	return most
}

// captured is the number of packets in the output.
func (s *sample) captured() (n uint64) {
	for _, w := range s.written {
		n += w
	}
	return n
}
