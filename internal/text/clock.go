package text

import "time"

// TimeFormat says how the time of a packet is written.
type TimeFormat uint8

// The time formats, with tcpdump's flag for each. Clocks show the time in the
// location of the time that Append is given.
const (
	TimeClock TimeFormat = iota // 15:04:05.000000, as tcpdump without a flag
	TimeNone                    // nothing (-t)
	TimeEpoch                   // seconds since 1970 (-tt)
	TimeDelta                   // since the packet before (-ttt)
	TimeDate                    // 2006-01-02 15:04:05.000000 (-tttt)
	TimeSince                   // since the first packet (-ttttt)
)

// appendTime appends the time and a space.
func (p *Printer) appendTime(b []byte, at time.Time) []byte {
	switch p.o.Time {
	case TimeNone:
		return b
	case TimeEpoch:
		b = appendInt(b, at.Unix())
		return p.appendFraction(b, at.Nanosecond())
	case TimeDate:
		b = at.AppendFormat(b, "2006-01-02 15:04:05")
		return p.appendFraction(b, at.Nanosecond())
	case TimeDelta, TimeSince:
		return p.appendElapsed(b, at)
	}
	b = at.AppendFormat(b, "15:04:05")
	return p.appendFraction(b, at.Nanosecond())
}

// appendFraction appends the fraction of a second, cut and not rounded.
func (p *Printer) appendFraction(b []byte, ns int) []byte {
	digits := 6
	if p.o.Nano {
		digits = 9
	}
	b = append(b, '.')
	for unit := 100_000_000; digits > 0; digits-- {
		b = append(b, '0'+byte(ns/unit%10))
		unit = max(unit/10, 1)
	}
	return append(b, ' ')
}

// appendElapsed appends the time since the packet that it is counted from.
func (p *Printer) appendElapsed(b []byte, at time.Time) []byte {
	if !p.o.Nano {
		at = at.Truncate(time.Microsecond) // as the clocks show it
	}
	if p.from.IsZero() {
		p.from = at
	}
	d := at.Sub(p.from)
	if p.o.Time == TimeDelta {
		p.from = at
	}
	sign := byte(' ')
	if d < 0 {
		sign, d = '-', -d
	}
	b = append(b, sign)
	for _, n := range []time.Duration{d / time.Hour, d / time.Minute % 60, d / time.Second % 60} {
		b = append(b, '0'+byte(n/10%10), '0'+byte(n%10), ':')
	}
	return p.appendFraction(b[:len(b)-1], int(d%time.Second))
}
