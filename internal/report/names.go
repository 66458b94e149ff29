package report

import (
	"fmt"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
)

// Names knows the processes that have sockets. Live there may be somebody who
// does; of a file nobody does.
type Names interface {
	// Note is told of each event as it comes, so that whoever has the sockets
	// of its connection can be found while it is there.
	Note(pod string, w cause.Where, e *flow.Event)
	// Explain adds to the verdict on a RST what the kernel says of it.
	Explain(f *cause.Finding)
	// At is who had the socket at one end of a connection at a time, in
	// nanoseconds since 1970.
	At(c *flow.Conn, client bool, time int64) (Process, bool)
	// Netns is the inode of a pod's network namespace, 0 if not known.
	Netns(pod string) uint64
}

// A Process has the socket of an end, or the one that listens there. PID is 0
// if only its user is known.
type Process struct {
	PID       int
	Command   string
	UID       uint32
	HasUID    bool
	Listening bool
}

func (p Process) String() string {
	if p.PID == 0 {
		return fmt.Sprintf("uid %d", p.UID)
	}
	said := fmt.Sprintf("pid %d %s", p.PID, plain.Text(p.Command))
	if p.HasUID {
		said += fmt.Sprintf(", uid %d", p.UID)
	}
	if p.Listening {
		said += ", which listens"
	}
	return said
}

// user is the UID, nil if it is not known.
func (p Process) user() *uint32 {
	if !p.HasUID {
		return nil
	}
	return &p.UID
}

// nobody knows no process.
type nobody struct{}

func (nobody) Note(string, cause.Where, *flow.Event)          {}
func (nobody) Explain(*cause.Finding)                         {}
func (nobody) At(*flow.Conn, bool, int64) (p Process, _ bool) { return p, false }
func (nobody) Netns(string) uint64                            { return 0 }

// known is names, or nobody for nil.
func known(names Names) Names {
	if names == nil {
		return nobody{}
	}
	return names
}

// doer is the process that did what was found, if it is known.
func doer(names Names, f *cause.Finding) (Process, bool) {
	client, server := f.Parts(&f.Event)
	who := server
	if f.ByClient {
		who = client
	}
	if f.Who != string(who) {
		return Process{}, false
	}
	return names.At(f.Conn, f.ByClient, f.Time)
}
