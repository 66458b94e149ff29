package nsswitch

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// ErrProcessGone is wrapped by errors about a process that has ended, also
// when its number already belongs to another one.
var ErrProcessGone = errors.New("no such process")

// A Process is one life of a PID. A PID alone can name another process by the
// time it is used; together with the start time it cannot.
type Process struct {
	PID int
	// Start is when the process began, in clock ticks since boot: field 22
	// of /proc/PID/stat, see proc_pid_stat(5). Zero means not known, and is
	// then not compared.
	Start uint64
}

// A Proc is a mounted proc file system. The zero value is /proc; a container
// that has the node's root below /host uses /host/proc.
type Proc struct {
	Root string
}

func (p Proc) root() string {
	if p.Root == "" {
		return "/proc"
	}
	return p.Root
}

// OpenPID opens the namespace of a process of /proc.
func OpenPID(pid int) (*NS, error) { return Proc{}.Open(Process{PID: pid}) }

// OpenInode opens the namespace with an inode number, as ls -i and
// [ID.String] show it, looking in /run/netns and /proc.
func OpenInode(inode uint64) (*NS, error) { return Proc{}.OpenInode(inode) }

// startTime takes field 22 out of a line of /proc/PID/stat. The second field,
// the command, is in parentheses and may itself hold spaces and parentheses,
// so the fields are counted from the last one.
func startTime(stat []byte) (uint64, error) {
	const afterCommand = 22 - 3
	i := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[i+1:])
	if i < 0 || len(fields) <= afterCommand {
		return 0, fmt.Errorf("stat line has too few fields")
	}
	return strconv.ParseUint(string(fields[afterCommand]), 10, 64)
}
