package nsswitch

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

type handle = *os.File

// ownPath leads to the namespace of the calling thread.
const ownPath = "/proc/thread-self/ns/net"

// errGoexit is what Do returns when the function neither returned nor
// panicked, as after testing.T.FailNow.
var errGoexit = errors.New("function left by runtime.Goexit")

// open opens path and makes sure that it is a network namespace. The type is
// asked of the kernel: a plain file would be refused by setns(2) as well, but
// only later and with a word (EINVAL) that says nothing.
func open(path, name string) (*NS, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return adopt(fd, path, name)
}

// openOwn opens the namespace of the calling thread.
func openOwn() (*NS, error) { return open(ownPath, "self") }

// openFile makes a handle of a descriptor of its own, and closes the file.
func openFile(f *os.File, name string) (*NS, error) {
	defer f.Close()
	fd, err := duplicate(f)
	if err != nil {
		return nil, err
	}
	return adopt(fd, name, name)
}

func (n *NS) duplicate() (*os.File, error) {
	fd, err := duplicate(n.file)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), n.name), nil
}

func duplicate(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	cerr := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err), cerr)
}

// adopt makes a handle of an open descriptor, which it owns from then on.
func adopt(fd int, path, name string) (*NS, error) {
	typ, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	if err != nil || typ != unix.CLONE_NEWNET {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, ErrNotNetns)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, &os.PathError{Op: "fstat", Path: path, Err: err}
	}
	return &NS{
		file: os.NewFile(uintptr(fd), path),
		name: name,
		id:   identity(&st),
	}, nil
}

func identity(st *unix.Stat_t) ID { return ID{Dev: uint64(st.Dev), Inode: st.Ino} }

func (n *NS) do(fn func() error) error {
	var (
		err   = errGoexit
		value any
		done  = make(chan struct{})
	)
	go func() {
		defer close(done)
		defer func() { value = recover() }()
		err = n.visit(fn)
	}()
	<-done
	if value != nil {
		panic(value)
	}
	return err
}

// visit goes to the namespace, runs fn, and goes home. It leaves its thread
// locked whenever it cannot be sure that the thread is at home: the runtime
// then ends the thread together with the goroutine.
func (n *NS) visit(fn func() error) error {
	runtime.LockOSThread()
	home, err := open(ownPath, "home")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter %s: %w", n, err)
	}
	defer home.Close()
	if home.id != n.id {
		if err := n.enter(); err != nil {
			runtime.UnlockOSThread()
			return err
		}
	}
	defer func() {
		if home.isHere() || home.enter() == nil {
			runtime.UnlockOSThread()
		}
	}()
	return fn()
}

// isHere reports whether the calling thread is in the namespace. The function
// that ran on it may have moved it, by unshare(2) for one.
func (n *NS) isHere() bool {
	var st unix.Stat_t
	return unix.Stat(ownPath, &st) == nil && n.id == identity(&st)
}

// enter moves the calling thread.
func (n *NS) enter() error {
	raw, err := n.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("enter %s: %w", n, err)
	}
	var errno error
	if err := raw.Control(func(fd uintptr) {
		errno = unix.Setns(int(fd), unix.CLONE_NEWNET)
	}); err != nil {
		return fmt.Errorf("enter %s: %w", n, err)
	}
	if errno == unix.EPERM {
		return fmt.Errorf("enter %s: setns: %w (needs CAP_SYS_ADMIN)", n, errno)
	}
	if errno != nil {
		return fmt.Errorf("enter %s: %w", n, os.NewSyscallError("setns", errno))
	}
	return nil
}
