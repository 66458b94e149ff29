package flow

// A Kind is what happened to a connection.
type Kind uint8

// The kinds of events.
const (
	Opening     Kind = iota // a SYN
	Accepted                // its answer
	Closing                 // a FIN
	Reset                   // a RST
	NoAnswer                // a SYN that nothing answered
	Retransmits             // a burst of segments that were sent again
	NoRoom                  // a window of zero
	Undelivered             // ICMP says that a packet was not delivered
)

var kinds = [...]string{"SYN", "SYN-ACK", "FIN", "RST", "no answer", "retransmissions", "zero window", "ICMP"}

// String is how the kind is called.
func (k Kind) String() string { return kinds[k] }

// An Event is one thing that happened to a connection.
type Event struct {
	Kind Kind
	Time int64 // in nanoseconds since 1970
	Conn *Conn
	// ByClient says who sent it; for NoAnswer it is who waits, and for
	// Undelivered whose side it comes from.
	ByClient bool
	// Sent says that the packet left the machine, Received that it came in,
	// where the capture tells.
	Sent, Received bool

	// Waited is for how long a SYN had no answer when that was told, in
	// nanoseconds.
	Waited int64

	// Complaint is what an Undelivered says.
	Complaint Complaint

	// Seq is the sequence number of a Closing's FIN, or of a Reset.
	Seq uint32

	// Of a Reset.

	// Bare says that it looks as if a kernel had sent it by itself, without
	// a socket.
	Bare bool
	// Terse says that it has neither options nor a window, as those that a
	// kernel sends by itself and most that are forged. Whatever is Bare is.
	Terse bool
	// Acks says that it acknowledges something, as the answer to a SYN does.
	Acks bool
	// Refusal says that it answers a SYN; so may an Undelivered.
	Refusal bool
	// AfterFIN says that the same side had sent a FIN before, AfterOtherFIN
	// that the other one had, AfterReset that there was a RST before.
	AfterFIN, AfterOtherFIN, AfterReset bool
	// Astray says that its sequence number is not one that the receiver
	// waits for.
	Astray bool
	// TTL is the packet's where all others of the same side had UsualTTL;
	// both are 0 where it is the same.
	TTL, UsualTTL uint8
	// Probes is how many keepalives in a row the other side had not answered.
	Probes int
}
