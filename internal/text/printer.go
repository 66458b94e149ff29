package text

import (
	"time"

	"icap/internal/flow"
)

// TimeFormat says how the time of a packet is written.
type TimeFormat uint8

// The time formats, with tcpdump's flag for each. Clocks show the time in the
// location of the time that Append is given.
const (
	TimeMicro TimeFormat = iota // 15:04:05.000000, as tcpdump without a flag
	TimeNano                    // 15:04:05.000000000
	TimeNone                    // nothing (-t)
	TimeEpoch                   // seconds since 1970 with microseconds (-tt)
	TimeDate                    // 2006-01-02 15:04:05.000000 (-tttt)
)

// Options say how packets are written. The zero value is tcpdump's default.
type Options struct {
	// Link shows the link layer too: hardware addresses, ethertype, VLAN
	// tags and the length on the wire (-e).
	Link bool
	// Numeric shows well-known ports as numbers (-n). Addresses are always
	// numbers: nothing is ever looked up.
	Numeric bool
	// Time is the form of the time.
	Time TimeFormat
}

// A Printer renders packets. It keeps nothing from one packet to the next, so it
// may be used by many goroutines.
type Printer struct {
	o Options
}

// New returns a Printer.
func New(o Options) *Printer {
	return &Printer{o: o}
}

// Append appends an Ethernet frame to b as one line without a line end, and
// returns the longer slice. It does not allocate when b has room. The label
// stands behind the time; an empty one is left out. wireLen is the length of
// the frame on the wire in bytes, of which frame is what was captured.
func (p *Printer) Append(b []byte, at time.Time, label string, frame []byte, wireLen int) []byte {
	return p.AppendLink(b, at, label, flow.LinkEthernet, frame, wireLen)
}

// AppendLink does the same for a frame of a link type. Of those that it does
// not know it tells the length.
func (p *Printer) AppendLink(b []byte, at time.Time, label string, linkType uint16, frame []byte, wireLen int) (line []byte) {
	b = p.appendTime(b, at)
	if label != "" {
		b = append(appendSafe(b, label), ' ')
	}
	// A bug in a decoder must cost one line and not the capture.
	defer func() {
		if recover() != nil {
			line = append(b, decoderFailed...)
		}
	}()
	return p.appendLink(b, linkType, frame, max(wireLen, len(frame)))
}

// decoderFailed takes the place of a packet that a decoder panicked on.
const decoderFailed = "[decoder failed]"

// appendTime appends the time and a space.
func (p *Printer) appendTime(b []byte, at time.Time) []byte {
	switch p.o.Time {
	case TimeNano:
		return at.AppendFormat(b, "15:04:05.000000000 ")
	case TimeNone:
		return b
	case TimeEpoch:
		b = appendInt(b, at.Unix())
		return at.AppendFormat(b, ".000000 ")
	case TimeDate:
		return at.AppendFormat(b, "2006-01-02 15:04:05.000000 ")
	}
	return at.AppendFormat(b, "15:04:05.000000 ")
}
