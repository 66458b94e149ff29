package flow

import "net/netip"

// A Conn is a connection of TCP, or the packets of UDP between two sockets, at
// one place of the capture.
type Conn struct {
	// Place is where it was captured, such as an interface and a leg.
	Place string
	// Wire and Host are those of the Sighting.
	Wire, Host string
	// Torn says that some packets were captured at another place of the same
	// interface: whoever named the places did not know what belongs together.
	Torn bool
	// Redirects are those of the Sighting.
	Redirects []uint16
	Proto     uint8
	// Client began it. Guessed says that its beginning was not captured.
	Client, Server netip.AddrPort
	Guessed        bool
	// Start and Last are when its first and last packet were captured, in
	// nanoseconds since 1970.
	Start, Last int64
	// Handshake is how long it took from the SYN to the acknowledgement of
	// the answer, in nanoseconds; 0 if not known.
	Handshake int64
	// Out says that what the client sends leaves the machine where it was
	// captured, In that it comes in; neither where the capture does not tell.
	Out, In bool
	Numbers Numbers
	// Up is what the client sent, Down what the server did.
	Up, Down Side
	End      Ending
	// Speaks is what is spoken on it, as far as packets tell.
	Speaks Speech

	asked  bool // a SYN was seen
	gaveUp bool // the missing answer has been told

	site       string
	complained bool     // by ICMP
	complaint  [2]uint8 // its last type and code
}

// A Side is what one of the two sent.
type Side struct {
	// Packets, and their bytes on the wire, all headers counted.
	Packets, Bytes uint64
	// Payload is the bytes of TCP or UDP payload, sent again or not.
	Payload uint64
	// Retransmits are segments that repeat what was sent before, and
	// ZeroWindows those that say that there is no room.
	Retransmits, ZeroWindows uint64
	FIN, RST                 bool
	// Marks are its first segments of payload, as many as the Tracker keeps.
	Marks []Mark

	next  uint32 // the sequence number behind all that was sent
	began bool   // next is valid
	head  []byte // how the payload begins
	heard bool   // no more of it is needed
	burst int    // segments that repeat, one after another
	ttl   uint8  // of what came first
	// probes are keepalives in a row that the other side has not answered.
	probes int
}

// An Ending is how a connection ended.
type Ending uint8

// The endings.
const (
	Open          Ending = iota // it did not, in the capture
	Closed                      // both sides sent a FIN
	HalfClosed                  // one side did
	ResetByClient               // the client sent a RST
	ResetByServer
	Refused    // a RST answered the SYN
	Unanswered // nothing answered the SYN
	Unreached  // ICMP did
)

var endings = [...]string{"open", "closed", "half closed", "reset by client", "reset by server", "refused", "no answer", "unreachable"}

// String says it in words.
func (e Ending) String() string { return endings[e] }

// From is the side that sent packets from an address.
func (c *Conn) from(a netip.AddrPort) (own, other *Side) {
	if a == c.Client {
		return &c.Up, &c.Down
	}
	return &c.Down, &c.Up
}

// Duration is between the first and the last packet, in nanoseconds.
func (c *Conn) Duration() int64 { return c.Last - c.Start }

// settle decides how the connection has ended so far.
func (c *Conn) settle() {
	switch {
	case c.End >= ResetByClient:
	case c.Up.FIN && c.Down.FIN:
		c.End = Closed
	case c.Up.FIN || c.Down.FIN:
		c.End = HalfClosed
	}
}
