package capture

import "time"

// A Rotation says when a file ends and the next one begins: always between two
// packets. Time is that of the packets, so a clock that is set back makes a
// file longer, and an interface without traffic makes no files.
type Rotation struct {
	// Size ends a file that has more bytes than this before a packet is
	// added, as tcpdump's -C does: a file exceeds it by a packet at most, and
	// by the statistics. 0: no limit.
	Size uint64
	// Interval ends a file with the first packet that is this much younger
	// than its beginning. 0: never.
	Interval time.Duration
	// Aligned makes intervals begin at multiples of Interval by the local
	// wall clock, such as full minutes, instead of with a packet.
	Aligned bool
	// Files, with Size, is how many files there are in a ring, the oldest of
	// which is overwritten; in each interval, if there are intervals. Without
	// Size it ends the capture after so many intervals with a file. 0: no
	// limit.
	Files int
}

// Next is when the interval of a file that begins at a time ends; the zero
// time if it does not.
func (r *Rotation) Next(begin time.Time) time.Time {
	switch {
	case r.Interval <= 0:
		return time.Time{}
	case r.Aligned:
		return r.floor(begin).Add(r.Interval)
	}
	return begin.Add(r.Interval)
}

// Begin is the beginning of an interval whose first packet is of time t.
func (r *Rotation) Begin(t time.Time) time.Time {
	if r.Aligned {
		return r.floor(t)
	}
	return t
}

// floor is the last multiple of the interval that is not after t, by the wall
// clock of t's location.
func (r *Rotation) floor(t time.Time) time.Time {
	_, east := t.Zone()
	offset := time.Duration(east) * time.Second
	return t.Add(offset).Truncate(r.Interval).Add(-offset)
}

// last says whether the capture ends with the nth interval.
func (r *Rotation) last(n int) bool {
	return r.Size == 0 && r.Interval > 0 && r.Files > 0 && n >= r.Files
}
