package measure

import (
	"fmt"
	"slices"

	"icap/bench/internal/peer"
)

// An Outcome is all that the rounds of a suite gave. What belongs to a peer is
// found by its name; the values of a slice are those of the rounds in turn.
type Outcome struct {
	Rounds   int
	Series   []Series
	Searches []Search
	Starts   map[string][]float64 // ms
	Alone    map[string][]Idle    // on one interface
	Crowd    map[string][]Idle    // on many
	Many     int                  // how many
	Garbage  map[string]Garbage
	Binary   map[string]int64 // size of the program's file, in bytes
	// Faults is what must not be, and is our fault. Odd is what other
	// programs did.
	Faults, Odd []string
}

// A Series is what the rounds of one job gave.
type Series struct {
	Job     Job
	Results map[string][]Result
}

// A Search has the highest rates at which next to nothing was lost.
type Search struct {
	Mix   string
	Rates map[string][]float64 // packets a second
}

// Garbage is how often a program collected garbage under load, as it is and
// with GOGC=1.
type Garbage struct {
	Packets        uint64 // of the run as it is
	Normal, Strict int
}

// note takes what is wrong with a run.
func (o *Outcome) note(p *peer.Peer, what fmt.Stringer, round int, err error) {
	if err == nil {
		return
	}
	line := fmt.Sprintf("%s at %s, round %d: %v", p.Name, what, round+1, err)
	if p.Ours {
		o.Faults = append(o.Faults, line)
	} else {
		o.Odd = append(o.Odd, line)
	}
}

// Good are the results of a peer that nothing is wrong with.
func (s *Series) Good(name string) []Result {
	return slices.DeleteFunc(slices.Clone(s.Results[name]), func(r Result) bool { return r.Fault != nil })
}

// Kept reports whether the sender kept the rate of the job in a run, nearly.
func (s *Series) Kept(r *Result) bool {
	const nearly = 0.95
	return r.Rate >= nearly*float64(s.Job.Rate)
}

// Find is the series of a load at a rate on a target, or nil.
func (o *Outcome) Find(mix string, rate int, disk bool) *Series {
	for i := range o.Series {
		j := &o.Series[i].Job
		if j.Mix() == mix && j.Rate == rate && j.Disk == disk && j.Count > 0 {
			return &o.Series[i]
		}
	}
	return nil
}
