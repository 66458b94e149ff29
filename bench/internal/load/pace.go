package load

import "time"

// gapShift makes a gap between two frames a whole number of 1/1024 ns, so
// that ten million of them are not a microsecond off.
const gapShift = 10

// gap is the time between the beginnings of two frames, in 1/1024 ns. It is
// zero for a rate of zero: the next one is always due.
func gap(rate int) uint64 {
	if rate == 0 {
		return 0
	}
	return (uint64(time.Second) << gapShift) / uint64(rate)
}

// due is when frame n is due after the first one.
func due(n, gap uint64) time.Duration { return time.Duration(n * gap >> gapShift) }

// maxBurst is how many frames go out by one system call at most.
const maxBurst = 32

// burst is how many frames of a rate are due within 100 us, which is about
// what a timer can keep.
func burst(rate int) int {
	const perSecond = 10_000
	if rate == 0 {
		return maxBurst
	}
	return min(max(rate/perSecond, 1), maxBurst)
}
