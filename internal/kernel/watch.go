package kernel

import (
	"errors"
	"net/netip"
	"os"
)

// ErrMissed is the error of [Watch.Next] when connections came too fast: some
// were left out. Those that are still there can be asked for by [Connections].
var ErrMissed = errors.New("connections came too fast to be told of all")

// A Watch tells of connections as they are made, and who has made them. Next is
// for one goroutine, Poll for one, which may be another, Owner and Close for
// any.
type Watch struct{ watch }

// WatchConnections begins to watch the namespace: Next returns the connections
// that are made from now on.
//
// Without CAP_NET_ADMIN the error wraps [io/fs.ErrPermission].
func WatchConnections() (*Watch, error) { return watchConnections() }

// Files are descriptors of the watch's own sockets, by which WatchFiles goes on
// with it. They are valid until Close.
func (w *Watch) Files() []*os.File { return w.files() }

// WatchFiles goes on with the Files of a watch that another process has sent.
// It takes no privilege.
func WatchFiles(files []*os.File) (*Watch, error) { return watchFiles(files) }

// Next waits for connections of TCP and UDP that the namespace has begun to
// keep track of. After Close it returns an error that wraps [os.ErrClosed].
// After ErrMissed it can be called again.
func (w *Watch) Next() ([]Connection, error) { return w.next() }

// Poll is Next without the waiting: it returns what nobody has been told of
// yet. The connection of a packet that was captured on the loopback interface
// is among that, or Next was told of it.
func (w *Watch) Poll() ([]Connection, error) { return w.poll() }

// Owner returns the user of the socket of a TCP connection, and its inode. It
// is not ok once the socket is closed.
func (w *Watch) Owner(local, remote netip.AddrPort) (uid uint32, inode uint64, ok bool) {
	return w.owner(local, remote)
}

// Close ends the watch, and Next in another goroutine.
func (w *Watch) Close() error { return w.close() }
