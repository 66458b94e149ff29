package plain

import (
	"fmt"
	"time"
)

// Text quotes what could talk to a terminal. Names of interfaces, pods and
// processes are chosen by strangers.
func Text(s string) string {
	for _, r := range s {
		if r < ' ' || r >= 0x7f {
			q := fmt.Sprintf("%+q", s)
			return q[1 : len(q)-1]
		}
	}
	return s
}

// Bytes is a number of bytes, in three digits and a unit of powers of 1000.
func Bytes(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if n < 1000 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.3g TB", n)
}

// Clock is the local time of day, of nanoseconds since 1970.
func Clock(ns int64) string { return time.Unix(0, ns).Format("15:04:05.000000") }

// Duration is a time in nanoseconds, in steps of a microsecond, and of a
// millisecond from a second on.
func Duration(ns int64) string {
	d := time.Duration(ns)
	if d >= time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}
