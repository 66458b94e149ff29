package text

import (
	"net/netip"
	"time"

	"icap/internal/flow"
)

// Options say how packets are written. The zero value is tcpdump's default.
type Options struct {
	// Link shows the link layer too: hardware addresses, ethertype, VLAN
	// tags and the length on the wire (-e).
	Link bool
	// Numeric shows well-known ports as numbers (-n). Addresses are always
	// numbers: nothing is ever looked up.
	Numeric bool
	// Time is the form of the time, and Nano gives it in nanoseconds.
	Time TimeFormat
	Nano bool
	// Relative counts the numbers of TCP from a connection's beginning, as
	// tcpdump does without -S.
	Relative bool
	// Quick leaves out what few need of TCP (-q).
	Quick bool
	// Verbose shows the header of IP, checksums, the packets that errors of
	// ICMP are about, options of neighbour discovery and all lines of HTTP
	// (-v), and more than once also the numbers of segments without data, all
	// sections of DNS and the data of SCTP (-vv).
	Verbose int
	// NoChecksums leaves out whether checksums are right (-K).
	NoChecksums bool
	// Lengths shows first how much of a packet was captured and how long it
	// was on the wire (--lengths).
	Lengths bool
	// Colour has labels told apart by colours, and resets and ends of
	// connections stand out. It is for terminals only.
	Colour bool
	// Dump shows the bytes of a packet, and DumpLink those of the link layer
	// too.
	Dump     Dump
	DumpLink bool
}

// A Printer renders packets. It is for one goroutine: times and numbers may be
// counted from packets before.
type Printer struct {
	o    Options
	from time.Time // where TimeDelta and TimeSince count from
	seqs sequences // nil: numbers are those of the wire

	colours colours // nil: none
	names   map[netip.Addr]string
	depth   int // of packets in packets
}

// New returns a Printer.
func New(o Options) *Printer {
	p := &Printer{o: o}
	if o.Relative {
		p.seqs = make(sequences)
	}
	if o.Colour {
		p.colours = make(colours)
	}
	return p
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
	p.depth = 0
	wireLen = max(wireLen, len(frame))
	if p.o.Lengths {
		b = appendInt(append(b, "caplen "...), len(frame))
		b = append(appendInt(append(b, " len "...), wireLen), ' ')
	}
	b = p.appendTime(b, at)
	if label != "" {
		b = p.appendLabel(b, label)
	}
	// A bug in a decoder must cost one line and not the capture.
	defer func() {
		if recover() != nil {
			line = append(b, decoderFailed...)
		}
	}()
	return p.appendLink(b, linkType, frame, wireLen)
}

// decoderFailed takes the place of a packet that a decoder panicked on.
const decoderFailed = "[decoder failed]"
