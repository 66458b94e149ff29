package nsswitch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir is where ip-netns(8) and container runtimes keep named namespaces.
const Dir = "/run/netns"

// ErrNotNetns is wrapped by errors about a path that is no network namespace.
var ErrNotNetns = errors.New("not a network namespace")

// An ID is a namespace's identity: the device and inode number of its file
// in nsfs. Two open handles are the same namespace if their IDs are equal;
// namespaces(7) promises it as long as one of the handles is open.
type ID struct {
	Dev, Inode uint64
}

// String is the namespace as readlink(2) of /proc/PID/ns/net shows it.
func (i ID) String() string { return fmt.Sprintf("net:[%d]", i.Inode) }

// An NS is an open handle on a network namespace. While it is open the
// namespace lives on, even without a process in it, so close it soon. Its
// methods may be called from several goroutines at a time.
type NS struct {
	file handle
	name string
	id   ID
}

// Open opens the namespace that a path such as /run/netns/NAME or
// /proc/PID/ns/net leads to. For a process prefer [OpenPID], which notices
// that a PID has been reused.
func Open(path string) (*NS, error) {
	n, err := open(path, path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", explain(err, path))
	}
	return n, nil
}

// OpenName opens a namespace by the name that ip-netns(8) lists.
func OpenName(name string) (*NS, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, '/') {
		return nil, fmt.Errorf("open network namespace: %q is not a name in %s", name, Dir)
	}
	n, err := open(filepath.Join(Dir, name), name)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", explain(err, name))
	}
	return n, nil
}

// Current opens the namespace of the calling thread.
func Current() (*NS, error) {
	n, err := openOwn()
	if err != nil {
		return nil, fmt.Errorf("open own network namespace: %w", err)
	}
	return n, nil
}

// OpenFile takes over an open file of a namespace, such as another process has
// sent: see SCM_RIGHTS in unix(7). Name is for messages.
func OpenFile(f *os.File, name string) (*NS, error) {
	n, err := openFile(f, name)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	return n, nil
}

// Duplicate returns another descriptor of the namespace, to be sent.
func (n *NS) Duplicate() (*os.File, error) { return n.duplicate() }

// Do runs fn inside the namespace and returns its error. The function runs
// on a goroutine and thread of its own; Do waits for it. A panic in fn is
// raised again in the caller's goroutine. To run in the namespace that the
// process is in anyway takes no privilege.
func (n *NS) Do(fn func() error) error { return n.do(fn) }

// ID is the namespace's identity.
func (n *NS) ID() ID { return n.id }

// String is the name that the handle was opened by, for messages.
func (n *NS) String() string { return n.name }

// Close gives the handle back. Sockets that were made inside stay usable.
func (n *NS) Close() error { return n.file.Close() }

// explain adds to a refusal the capability whose lack is the cause.
func explain(err error, what string) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (%s needs CAP_SYS_PTRACE)", err, what)
	}
	return err
}
