package kernel

import "net/netip"

// A Socket is a TCP socket that was asked for.
type Socket struct {
	// Inode is the socket's number in "socket:[N]" of /proc/PID/fd.
	Inode uint64

	// UID is the user who made the socket, in the caller's user namespace.
	UID uint32

	// Listening says that there was no socket of the connection, only the one
	// that listens where it went to.
	Listening bool
}

// Sockets asks for single TCP sockets of a namespace.
type Sockets struct{ q *querier }

// OpenSockets opens the namespace of the calling thread. Sockets then asks
// about it from any thread, one call at a time. It needs no privilege.
func OpenSockets() (*Sockets, error) { return openSockets() }

// Close gives it back.
func (s *Sockets) Close() { s.close() }

// Find asks for the socket with these two ends. It is not ok if there is none,
// or none with an owner: a connection in TIME_WAIT, and one that its listener
// has not been told of, have no inode.
func (s *Sockets) Find(local, remote netip.AddrPort) (found Socket, ok bool) {
	return s.find(local, remote)
}
