package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// newNamespace makes the namespace on a thread that nsswitch takes home
// again. The name is a bind mount of the namespace's file, which keeps the
// namespace alive without a process in it.
func newNamespace(name string) (*nsswitch.NS, error) {
	ns, err := makeNamespace(name)
	if err != nil {
		return nil, fmt.Errorf("make network namespace %s: %w", name, err)
	}
	return ns, nil
}

func makeNamespace(name string) (*nsswitch.NS, error) {
	if err := prepareDir(); err != nil {
		return nil, err
	}
	path := filepath.Join(nsswitch.Dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	_ = f.Close()

	here, err := nsswitch.Current()
	if err != nil {
		return nil, errors.Join(err, removeNamespace(name))
	}
	defer here.Close()
	err = here.Do(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, "")
		return os.NewSyscallError("mount", err)
	})
	if err != nil {
		return nil, errors.Join(err, removeNamespace(name))
	}
	ns, err := nsswitch.OpenName(name)
	if err != nil {
		return nil, errors.Join(err, removeNamespace(name))
	}
	if err := setUp(ns, "lo"); err != nil {
		return nil, errors.Join(err, ns.Close(), removeNamespace(name))
	}
	return ns, nil
}

// prepareDir makes /run/netns a shared mount point exactly as ip-netns(8)
// does, including the lock: names then come and go in every mount namespace
// alike, and a later "ip netns add" finds nothing left to do. The directory
// and its mount stay, as they do after ip.
func prepareDir() error {
	if err := os.MkdirAll(nsswitch.Dir, 0o755); err != nil {
		return err
	}
	d, err := os.Open(nsswitch.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		return &os.PathError{Op: "flock", Path: nsswitch.Dir, Err: err}
	}
	share := func() error {
		return unix.Mount("", nsswitch.Dir, "none", unix.MS_SHARED|unix.MS_REC, "")
	}
	err = share()
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount(nsswitch.Dir, nsswitch.Dir, "none", unix.MS_BIND|unix.MS_REC, "")
		if err == nil {
			err = share()
		}
	}
	if err != nil {
		return &os.PathError{Op: "mount", Path: nsswitch.Dir, Err: err}
	}
	return nil
}

// removeNamespace unmounts the name as often as it is mounted, then deletes
// it. Whatever goes wrong with the former shows as EBUSY in the latter.
func removeNamespace(name string) error {
	path := filepath.Join(nsswitch.Dir, name)
	for unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) == nil {
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove network namespace %s: %w", name, err)
	}
	return nil
}
