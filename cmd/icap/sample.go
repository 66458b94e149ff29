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
	sum.result = &capture.Result{Sources: make([]capture.Source, len(s.sources))}
	sum.written = make([]uint64, len(s.interfaces))
	deadline := time.After(patience)
	for _, t := range s.tracks {
		one, ok := t.sample(deadline)
		if !ok {
			return sum, false
		}
		sum.result.Add(one.result)
		sum.bytes += one.bytes
		for i, n := range one.written {
			sum.written[i] += n
		}
	}
	return sum, true
}

// filled is how much of the fullest ring waits to be read, in percent.
func (s *session) filled() int {
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
