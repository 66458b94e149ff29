package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/kernel"
	"icap/internal/socktrace"
)

// holders know which processes of pods have the sockets of connections. They
// ask while the events come in, which is too late for a connection that is over
// sooner; of that the witnesses know. The zero value knows nobody.
type holders struct {
	finder
	pods      map[string]podSockets // by what the file calls them
	known     map[end]*socket
	witnesses witnesses
	trace     *socktrace.Trace // nil without eBPF
}

// podSockets are those of a pod, and what its namespace tells.
type podSockets struct {
	*kernel.Sockets
	*facts
	netns uint64
	conns *kernel.Watch // nil if that is not allowed
}

// An end is that of one side of a connection.
type end struct {
	conn   *flow.Conn
	client bool
}

// A socket is that of an end, and who has it as far as that was found.
type socket struct {
	socketKey
	holder
}

// A holder is a process with the socket of an end, or with the one that
// listens there. PID is 0 if it is not known.
type holder struct {
	kernel.Process
	UID       uint32
	hasUID    bool
	listening bool
}

func (h holder) String() string {
	if h.PID == 0 {
		return fmt.Sprintf("uid %d", h.UID)
	}
	said := fmt.Sprintf("pid %d %s", h.PID, printable(h.Command))
	if h.hasUID {
		said += fmt.Sprintf(", uid %d", h.UID)
	}
	if h.listening {
		said += ", which listens"
	}
	return said
}

// user is the UID, nil if it is not known.
func (h holder) user() *uint32 {
	if !h.hasUID {
		return nil
	}
	return &h.UID
}

// maxHolders is how many ends are remembered.
const maxHolders = 1 << 16

// open gets ready to ask the namespaces of pods, and to hear from them.
func (o *holders) open(places []*place, proc string) error {
	o.pods, o.known, o.proc, o.witnesses.proc = make(map[string]podSockets), make(map[end]*socket), proc, cmp.Or(proc, "/proc")
	var inodes []uint64
	for _, p := range places {
		f, err := readFacts(p)
		if err != nil {
			return err
		}
		if p.pod != nil {
			o.pids = append(o.pids, pidsIn(p.pod)...)
		}
		err = p.ns.Do(func() error {
			sockets, err := kernel.OpenSockets()
			if err != nil {
				return err
			}
			conns, _ := kernel.WatchConnections() // short ones stay unknown without
			o.pods[p.title] = podSockets{sockets, f, p.ns.ID().Inode, conns}
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

// watch hears of connections from conntrack.
func (o *holders) watch() {
	for _, p := range o.pods {
		if p.conns != nil {
			go o.witnesses.watch(p.netns, p.conns, finder{proc: o.proc, pids: slices.Clone(o.pids)})
		}
	}
}

// openTrace hears of all sockets of the pods by eBPF.
func (o *holders) openTrace() (err error) {
	var netns []uint64
	for _, p := range o.pods {
		netns = append(netns, p.netns)
	}
	if o.trace, err = socktrace.Open(netns); err != nil {
		return err
	}
	go o.witnesses.hear(o.trace)
	return nil
}

func (o *holders) close() {
	if o.trace != nil {
		_ = o.trace.Close() // it was only read
	}
	for _, p := range o.pods {
		p.Close()
		if p.conns != nil {
			_ = p.conns.Close() // it was only read
		}
	}
}

// of is who did it, if that is a process that is known.
func (o *holders) of(f *cause.Finding) (holder, bool) {
	client, server := f.Parts(&f.Event)
	who := server
	if f.ByClient {
		who = client
	}
	if f.Who != string(who) {
		return holder{}, false
	}
	return o.at(end{f.Conn, f.ByClient}, f.Time)
}

// at is who had the socket of an end at a time.
func (o *holders) at(e end, time int64) (holder, bool) {
	s, ok := o.known[e]
	if !ok {
		return holder{}, false
	}
	if h, ok := o.witnesses.holderOf(s.socketKey, time); ok {
		return h, true
	}
	return s.holder, s.PID != 0 || s.hasUID
}

// explain adds to a verdict on a RST what the kernel says of it.
func (o *holders) explain(f *cause.Finding) {
	if f.Kind != flow.Reset {
		return
	}
	if s, ok := o.known[end{f.Conn, f.ByClient}]; ok {
		f.Explain(&f.Event, o.witnesses.reasonOf(s.socketKey, f.Time))
	}
	if s, ok := o.known[end{f.Conn, !f.ByClient}]; ok && o.witnesses.tookReset(s.socketKey, f.Time) {
		f.Evidence += "; the socket that it was sent to took it"
	}
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
	known, ok := o.known[at]
	if !ok {
		if len(o.known) >= maxHolders {
			clear(o.known)
		}
		known = &socket{socketKey: socketKey{pod.netns, own, other}}
		o.known[at] = known
	}
	if known.PID != 0 && !known.listening {
		return
	}
	s, ok := pod.Find(own, other)
	if !ok && listener {
		// What is left of a closed socket hides the one that listens.
		s, ok = pod.Find(own, netip.AddrPortFrom(other.Addr(), 0))
	}
	if !ok || s.Listening && !listener {
		return
	}
	if p, ok := o.process(s.Inode); ok {
		known.holder = holder{p, s.UID, true, s.Listening}
	}
}
