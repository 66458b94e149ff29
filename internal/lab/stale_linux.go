package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"icap/nsswitch"
)

// prefix begins the name of every namespace that has an owner.
const prefix = "icap-lab"

// An owner is the process that answers for a namespace. Its PID alone would
// do harm twice: another process can have the number by now, and another
// container counts its own.
type owner struct {
	nsswitch.Process
	pidns uint16 // pidns is the low half of its PID namespace's inode.
}

// self is the calling process as an owner.
func self() (owner, error) {
	p, err := nsswitch.Proc{}.Process(os.Getpid())
	if err != nil {
		return owner{}, err
	}
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return owner{}, err
	}
	var inode uint64
	if _, err := fmt.Sscanf(link, "pid:[%d]", &inode); err != nil {
		return owner{}, fmt.Errorf("read %q: %w", link, err)
	}
	return owner{Process: p, pidns: uint16(inode)}, nil
}

// String is the part of a name that tells owners apart:
// icap-lab-PID-START-PIDNS.
func (o owner) String() string {
	return fmt.Sprintf("%s-%d-%s-%04x", prefix, o.PID,
		strconv.FormatUint(o.Start, 36), o.pidns)
}

// parseOwner reads the owner out of a name, if it has one.
func parseOwner(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, prefix+"-")
	words := strings.SplitN(rest, "-", 4)
	if !ok || len(words) < 4 {
		return owner{}, false
	}
	pid, err1 := strconv.Atoi(words[0])
	start, err2 := strconv.ParseUint(words[1], 36, 64)
	pidns, err3 := strconv.ParseUint(words[2], 16, 16)
	if err1 != nil || err2 != nil || err3 != nil || start == 0 {
		return owner{}, false
	}
	return owner{
		Process: nsswitch.Process{PID: pid, Start: start},
		pidns:   uint16(pidns),
	}, true
}

// alive reports whether the owner still runs. A zombie does not: it has lost
// its namespaces, so that /proc/PID/ns/net leads nowhere. In doubt the answer
// is yes.
func (o owner) alive() bool {
	p, err := nsswitch.Proc{}.Process(o.PID)
	if err != nil {
		return !errors.Is(err, nsswitch.ErrProcessGone)
	}
	if p.Start != o.Start {
		return false
	}
	_, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/net", o.PID))
	return !errors.Is(err, fs.ErrNotExist)
}

func cleanStale() error {
	me, err := self()
	if err != nil {
		return fmt.Errorf("remove stale network namespaces: %w", err)
	}
	entries, err := os.ReadDir(nsswitch.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove stale network namespaces: %w", err)
	}
	var errs []error
	for _, e := range entries {
		o, ok := parseOwner(e.Name())
		if ok && o.pidns == me.pidns && !o.alive() {
			errs = append(errs, removeNamespace(e.Name()))
		}
	}
	return errors.Join(errs...)
}

// newOwned makes a namespace under the first free number of the calling
// process.
func newOwned(suffix string) (*nsswitch.NS, string, error) {
	me, err := self()
	if err != nil {
		return nil, "", fmt.Errorf("make network namespace for %s: %w", suffix, err)
	}
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s-%d-%s", me, i, suffix)
		ns, err := newNamespace(name)
		if !errors.Is(err, fs.ErrExist) {
			return ns, name, err
		}
	}
}
