package main

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/kernel"
)

// holders know which processes of pods have the sockets of connections. They
// ask while the events come in, so of a connection that is over sooner they
// know at most who listens. The zero value knows nobody.
type holders struct {
	pods   map[string]podSockets // by what the file calls them
	proc   string                // where proc(5) is mounted
	known  map[end]holder
	pids   []int         // of all that were found
	looked time.Time     // when all processes were looked into last
	took   time.Duration // how long that took
}

// podSockets are those of a pod, and what its namespace tells.
type podSockets struct {
	*kernel.Sockets
	*facts
}

// An end is that of one side of a connection.
type end struct {
	conn   *flow.Conn
	client bool
}

// A holder is a process with the socket of an end, or with the one that
// listens there.
type holder struct {
	kernel.Process
	listening bool
}

func (h holder) String() string {
	if h.listening {
		return fmt.Sprintf("pid %d %s, which listens", h.PID, printable(h.Command))
	}
	return fmt.Sprintf("pid %d %s", h.PID, printable(h.Command))
}

// maxHolders is how many ends are remembered.
const maxHolders = 1 << 16

// open gets ready to ask the namespaces of pods.
func (o *holders) open(places []*place, proc string) error {
	o.pods, o.known, o.proc = make(map[string]podSockets), make(map[end]holder), proc
	var inodes []uint64
	for _, p := range places {
		f, err := readFacts(p)
		if err != nil {
			return err
		}
		err = p.ns.Do(func() error {
			sockets, err := kernel.OpenSockets()
			if err != nil {
				return err
			}
			o.pods[p.title] = podSockets{sockets, f}
			listeners, err := kernel.Listeners()
			for _, l := range listeners {
				inodes = append(inodes, l.Inode)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	o.search(inodes) // most that happens is of those who listen
	return nil
}

func (o *holders) close() {
	for _, p := range o.pods {
		p.Close()
	}
}

// of is who did it, if that is a process that is known.
func (o *holders) of(f *cause.Finding) (holder, bool) {
	client, server := f.Parts(&f.Event)
	who := server
	if f.ByClient {
		who = client
	}
	h, ok := o.known[end{f.Conn, f.ByClient}]
	if !ok || f.Who != string(who) {
		return holder{}, false
	}
	return h, true
}

// note looks for the processes at both ends of a connection.
func (o *holders) note(pod string, w cause.Where, e *flow.Event) {
	p, ok := o.pods[pod]
	if !ok || e.Conn.Proto != flow.ProtoTCP || !w.Known {
		return
	}
	client, server := w.Parts(e)
	c := e.Conn
	if local(client) {
		o.look(p, end{c, true}, c.Client, c.Server, false)
	}
	if local(server) {
		at, redirected := p.served(w, server, c)
		o.look(p, end{c, false}, at, c.Client, redirected || server == cause.App)
	}
}

// local reports whether a part is in the pod.
func local(p cause.Part) bool { return p == cause.App || p == cause.Proxy || p == cause.Pod }

// served is the address that the server's socket has, and whether rules have
// led the connection there.
func (p podSockets) served(w cause.Where, server cause.Part, c *flow.Conn) (at netip.AddrPort, redirected bool) {
	if server != cause.Proxy {
		return c.Server, false
	}
	pod := p.facts.pod
	inside, port := netip.IPv6Loopback(), uint16(0)
	if c.Client.Addr().Is4() {
		inside = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	switch w.Leg.String() {
	case "outbound-app":
		port = pod.Outbound
	case "dns-app":
		port = pod.DNS
	case "self-wire":
		port = pod.Inbound
	case "inbound-wire":
		inside, port = c.Server.Addr(), pod.Inbound
		if pod.Transparent {
			port = 0
		}
	}
	if port == 0 {
		return c.Server, false
	}
	return netip.AddrPortFrom(inside, port), true
}

// look finds the process with a socket, unless it was found before. Only where
// nobody but the part in question can listen is a listener good, too.
func (o *holders) look(pod podSockets, at end, own, other netip.AddrPort, listener bool) {
	if before, ok := o.known[at]; ok && !before.listening {
		return
	}
	s, ok := pod.Find(own, other)
	if !ok || s.Listening && !listener {
		return
	}
	p, ok := o.process(s.Inode)
	if !ok {
		return
	}
	if len(o.known) >= maxHolders {
		clear(o.known)
	}
	o.known[at] = holder{p, s.Listening}
}

// process is the one that has a socket.
func (o *holders) process(inode uint64) (kernel.Process, bool) {
	if len(o.pids) > 0 {
		found, _ := kernel.OwnersAmong(o.proc, o.pids, []uint64{inode})
		if p, ok := found[inode]; ok {
			return p, true
		}
	}
	if time.Since(o.looked) < 10*o.took {
		return kernel.Process{}, false
	}
	p, ok := o.search([]uint64{inode})[inode]
	return p, ok
}

// search looks into all processes of the machine, as far as that is allowed.
func (o *holders) search(inodes []uint64) map[uint64]kernel.Process {
	begun := time.Now()
	owners, _ := kernel.Owners(o.proc, inodes)
	o.looked = time.Now()
	o.took = o.looked.Sub(begun)
	for _, p := range owners {
		if !slices.Contains(o.pids, p.PID) {
			o.pids = append(o.pids, p.PID)
		}
	}
	return owners
}
