package gather

import (
	"math"
	"time"
)

// A shift corrects the times of a stream by the offset of the node's clock. A
// new offset is reached little by little, so that packets stay in order, as
// adjtime(3) does it; a clock that was set is followed at once.
type shift struct {
	by, target int64 // nanoseconds
	known      bool
	last       int64 // time of the last packet
}

const (
	// slew is how much time passes for a nanosecond of correction, so that a
	// clock is corrected by 500 ppm, which quartz does not exceed.
	slew = 2000
	// step is what is not slewed: as with ntpd(8), which steps clocks that
	// are further off.
	step = 128 * time.Millisecond
)

// aim takes a new measurement, unless the last one may be as true.
func (s *shift) aim(o Offset) {
	ahead := int64(o.Ahead)
	switch {
	case !s.known:
		*s = shift{by: ahead, target: ahead, known: true}
	case distance(ahead, s.target) > uint64(o.Uncertainty):
		s.target = ahead
		if distance(ahead, s.by) > uint64(step) {
			s.by = ahead
		}
	}
}

func distance(a, b int64) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}

// apply corrects the time of the next packet.
func (s *shift) apply(ns int64) int64 {
	if s.by != s.target && ns > s.last {
		most := (ns - s.last) / slew
		s.by += min(max(s.target-s.by, -most), most)
	}
	s.last = ns
	return s.fixed(ns)
}

// fixed corrects a time by what holds now. Times stay in the range of pcapng
// and int64.
func (s *shift) fixed(ns int64) int64 {
	if s.by < 0 && ns > math.MaxInt64+s.by {
		return math.MaxInt64
	}
	return max(ns-s.by, 0)
}
