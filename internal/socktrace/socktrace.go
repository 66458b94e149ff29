package socktrace

import "net/netip"

// A Kind is what a socket did.
type Kind uint8

// The kinds of records.
const (
	State    Kind = 1 // it changed its state
	Sent     Kind = 2 // a RST was sent
	Received Kind = 3 // the socket took a RST for good
)

// A Record is one thing that happened to a socket.
type Record struct {
	Kind Kind
	// Time is when, in nanoseconds since 1970.
	Time int64
	// Netns is the inode of the network namespace, 0 if not known.
	Netns uint32
	// Local and Remote are the ends of the socket, or where there is none, of
	// the packet that a RST answers. Those of IPv4 are never mapped to IPv6.
	Local, Remote netip.AddrPort
	// UID is the user who made the socket, in the first user namespace. It
	// is valid if HasUID is set: there may be no socket any more.
	UID    uint32
	HasUID bool
	// PID and Command are of the thread group that used the socket at that
	// moment, and the name of the thread. PID is 0 where the kernel acted by
	// itself. They are numbers of the first PID namespace.
	PID, TID int
	Command  string
	// Old and New are the states of a State record, as in tcp_states.h.
	Old, New uint8
	// Reason is why a RST was sent, as the kernel calls it, such as
	// TCP_ABORT_ON_CLOSE. Kernels before 6.10 give none.
	Reason string
}

// A Trace is a stream of records. Next is for one goroutine, Close for any.
type Trace struct{ trace }

// Open begins to trace the sockets in network namespaces, given by their
// inodes, or in all of them if none is given. It takes a kernel with BTF and
// ring buffers, Linux 5.8. Without CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN,
// the error wraps [io/fs.ErrPermission].
func Open(netns []uint64) (*Trace, error) { return open(netns) }

// Next waits for the next record. After Close it returns an error that wraps
// [os.ErrClosed]. Where records came too fast, some are left out.
func (t *Trace) Next() (Record, error) { return t.next() }

// Close ends the trace, and Next in another goroutine.
func (t *Trace) Close() error { return t.close() }
