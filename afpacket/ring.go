package afpacket

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
)

// MaxSnaplen is the largest number of bytes that is kept of a packet, the
// same as libpcap's. It is larger than any frame of a BIG TCP interface with
// the sizes in use.
const MaxSnaplen = 262144

// A Direction selects packets by the way they go.
type Direction uint8

// The directions of tcpdump's -Q. On a loopback interface, which shows every
// packet on its way out and again on its way in, InOut delivers it once, on
// its way in.
const (
	InOut Direction = iota
	In
	Out
)

// A Config says what to capture. The zero value of each field works.
type Config struct {
	// Interface is the name of a network interface in the namespace of the
	// thread that calls Open.
	Interface string

	// Filter is a classic BPF program for the socket. It returns how many
	// bytes to keep, 0 to reject. Nil accepts everything and keeps Snaplen
	// bytes.
	Filter []bpf.RawInstruction

	// Snaplen is the most bytes the filter lets through, 0 meaning
	// MaxSnaplen. A block is made to hold at least one such packet.
	Snaplen int

	// Ring is the size of the ring; zero fields take DefaultGeometry's.
	Ring Geometry

	// RetireTimeout is how long the kernel keeps a block open that is not
	// full, 0 meaning 100 ms. A short one gives prompt output and costs
	// wake-ups. The kernel counts whole milliseconds.
	RetireTimeout time.Duration

	// Direction selects packets by the way they go.
	Direction Direction

	// Promiscuous puts the interface into promiscuous mode while the ring
	// is open.
	Promiscuous bool

	// Marks, if not empty, are those of which a packet must have one, and
	// NotMarks those of which it must have none, to come to the filter.
	Marks, NotMarks []Mark

	// Group is the rings that this one shares the interface's packets with;
	// nil for a ring that gets them all.
	Group *Group

	// Lock makes the kernel refuse any other filter from Start on
	// (SO_LOCK_FILTER), also if this process is taken over by somebody. A ring
	// of a Group cannot be locked, see Ring.Locked.
	Lock bool

	// Socket, if not nil, is one that OpenSocket has made for this Config,
	// maybe in another process. Then Open needs no privilege.
	Socket *os.File

	// Direct lays blocks out so that they can be turned into a file where
	// they lie: the first packet of a block begins at DirectStart, and the
	// data of packets is aligned to 4 bytes.
	Direct bool
}

// A Mark is that of a packet, SO_MARK of socket(7) as the kernel keeps it, of
// which only the bits of Mask count. Packets have their mark while they are in
// one network namespace.
type Mark struct{ Value, Mask uint32 }

// DefaultRetireTimeout is used where Config.RetireTimeout is 0.
const DefaultRetireTimeout = 100 * time.Millisecond

func (c Config) withDefaults(pageSize int) (Config, error) {
	if c.Snaplen == 0 {
		c.Snaplen = MaxSnaplen
	}
	if c.Snaplen < 0 || c.Snaplen > MaxSnaplen {
		return c, fmt.Errorf("snaplen %d is not between 1 and %d", c.Snaplen, MaxSnaplen)
	}
	if c.RetireTimeout == 0 {
		c.RetireTimeout = DefaultRetireTimeout
	}
	if c.RetireTimeout < time.Millisecond {
		return c, fmt.Errorf("retire timeout %v is under 1 ms", c.RetireTimeout)
	}
	if c.Filter == nil {
		c.Filter = keep(c.Snaplen)
	}
	c.Filter = marked(c.Marks, c.NotMarks, c.Filter)
	var err error
	c.Ring, err = c.Ring.fit(c.largest(), pageSize)
	return c, err
}

// largest is what a block must hold besides its header and that of a packet.
func (c *Config) largest() int {
	if c.Direct {
		return c.Snaplen + DirectStart
	}
	return min(c.Snaplen, maxLeast-frameOverhead)
}

// Errors that Next returns besides io.EOF. Neither means that packets were
// lost: what the ring held has been delivered before.
var (
	// ErrDown means that the interface went down. The ring goes on by
	// itself when it comes up again; call Next again.
	ErrDown = errors.New("interface is down")
	// ErrGone means that the interface was deleted or moved to another
	// namespace. No further packet can come.
	ErrGone = errors.New("interface is gone")
)

// ErrFilterTooLong is wrapped by the error of Open when the kernel does not
// take the filter for its length: it has more than 4096 instructions, or there
// is no room for them. net.core.optmem_max bounds the memory of a socket's
// options, which is some 2000 instructions, and a few hundred before Linux 6.8.
var ErrFilterTooLong = errors.New("filter is longer than the kernel takes")

// Stats counts since Start, in 64 bits.
type Stats struct {
	// Received is what the filter accepted, dropped packets included:
	// tcpdump's "received by filter".
	Received uint64
	// Dropped is what found no room in the ring: tcpdump's "dropped by
	// kernel".
	Dropped uint64
	// Delivered is what Next has lent out. After Next returned io.EOF or
	// ErrGone it equals Received minus Dropped, or the difference is lost.
	Delivered uint64
	// Freezes is how often the kernel found all blocks in use.
	Freezes uint64
}

// Add adds the counts of another ring.
func (s *Stats) Add(t Stats) {
	s.Received += t.Received
	s.Dropped += t.Dropped
	s.Delivered += t.Delivered
	s.Freezes += t.Freezes
}
