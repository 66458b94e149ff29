package capfile

import "math/bits"

// A clock turns the times of an interface into nanoseconds.
type clock struct {
	mul, div uint64 // nanoseconds = ticks * mul / div
	offset   int64  // in nanoseconds
}

// microseconds is the clock of an interface that does not tell.
var microseconds = clock{mul: 1000, div: 1}

// resolution is the clock of if_tsresol: a negative power of 10, or of 2 if
// the highest bit is set.
func resolution(v byte) (c clock, ok bool) {
	const second = 1_000_000_000
	if v&0x80 != 0 {
		if v &= 0x7f; v > 63 {
			return c, false
		}
		return clock{mul: second, div: 1 << v}, true
	}
	c = clock{mul: second, div: 1}
	for range v {
		switch {
		case c.mul > 1:
			c.mul /= 10
		case c.div <= 1<<59:
			c.div *= 10
		default:
			return c, false
		}
	}
	return c, true
}

// nanoseconds is the time of so many ticks. One that is past all range is 0.
func (c *clock) nanoseconds(ticks uint64) int64 {
	high, low := bits.Mul64(ticks, c.mul)
	if high >= c.div {
		return 0
	}
	ns, _ := bits.Div64(high, low, c.div)
	if int64(ns) < 0 {
		return 0
	}
	return int64(ns) + c.offset
}
