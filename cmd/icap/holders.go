package main

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/kernel"
	"icap/internal/report"
	"icap/internal/socktrace"
)

// holders know which processes of pods have the sockets of connections. They
// ask when events come in, which is too late for a connection that is over
// sooner; of that the witnesses know. The zero value knows nobody.
type holders struct {
	finder
	pods      map[string]podSockets // by what the file calls them
	witnesses witnesses
	trace     *socktrace.Trace // nil without eBPF
	conns     []*kernel.Watch  // else, where that is allowed

	mu    sync.Mutex // for what is known, which a goroutine finds out
	known map[end]*socket
	// questions are for that goroutine. Packets do not wait for it: when it
	// is behind, there are questions that are not asked.
	questions chan question
	answered  chan struct{} // is closed when there are no more
	// listeners are the processes of sockets that listen, by inode.
	listeners map[uint64]kernel.Process
}

// A question is who has the socket of an end. Listener says that whoever
// listens there is a good answer.
type question struct {
	pod      podSockets
	socket   *socket
	listener bool
}

// maxQuestions is how many wait at most.
const maxQuestions = 4096

// podSockets are those of a pod, and what its namespace tells.
type podSockets struct {
	*kernel.Sockets
	*facts
	netns uint64
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
			o.pods[p.title] = podSockets{sockets, f, p.ns.ID().Inode}
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
	o.listeners = o.search(inodes) // most that happens is of those who listen
	o.questions, o.answered = make(chan question, maxQuestions), make(chan struct{})
	go o.answer()
	return nil
}

// settle waits for all answers. Nothing is noted after it.
func (o *holders) settle() {
	if o.questions != nil {
		close(o.questions)
		<-o.answered
		o.questions = nil
	}
}

// watch hears of connections from conntrack, where that is allowed. Else short
// ones stay unknown.
func (o *holders) watch(places []*place) {
	for _, p := range places {
		var conns *kernel.Watch
		err := p.ns.Do(func() (err error) {
			conns, err = kernel.WatchConnections()
			return err
		})
		if err == nil {
			o.conns = append(o.conns, conns)
			go o.witnesses.watch(p.ns.ID().Inode, conns, finder{proc: o.proc, pids: slices.Clone(o.pids)})
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
	o.settle()
	if o.trace != nil {
		_ = o.trace.Close() // it was only read
	}
	for _, p := range o.pods {
		p.Close()
	}
	for _, c := range o.conns {
		_ = c.Close() // it was only read
	}
}

// At implements [report.Names].
func (o *holders) At(c *flow.Conn, client bool, time int64) (report.Process, bool) {
	h, ok := o.at(end{c, client}, time)
	return report.Process{PID: h.PID, Command: h.Command, UID: h.UID, HasUID: h.hasUID, Listening: h.listening}, ok
}

// Netns implements [report.Names].
func (o *holders) Netns(pod string) uint64 { return o.pods[pod].netns }

// at is who had the socket of an end at a time.
func (o *holders) at(e end, time int64) (holder, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.known[e]
	if !ok {
		return holder{}, false
	}
	if h, ok := o.witnesses.holderOf(s.socketKey, time); ok && (h.PID != 0 || s.PID == 0) {
		return h, true
	}
	return s.holder, s.PID != 0 || s.hasUID
}

// Explain implements [report.Names].
func (o *holders) Explain(f *cause.Finding) {
	if f.Kind != flow.Reset || !f.Known {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, ok := o.known[end{f.Conn, f.ByClient}]; ok && o.trace != nil {
		if reason, sent := o.witnesses.reasonOf(s.socketKey, f.Time); sent {
			f.Explain(&f.Event, reason)
		} else {
			f.Disown(&f.Event)
		}
	}
	if s, ok := o.known[end{f.Conn, !f.ByClient}]; ok && o.witnesses.tookReset(s.socketKey, f.Time) {
		f.Evidence += "; the socket that it was sent to took it"
	}
}

// Note looks for the processes at both ends of a connection.
func (o *holders) Note(pod string, w cause.Where, e *flow.Event) {
	p, ok := o.pods[pod]
	if !ok || e.Conn.Proto != flow.ProtoTCP || !w.Known {
		return
	}
	client, server := w.Parts(e)
	c := e.Conn
	if local(client) {
		o.ask(p, end{c, true}, c.Client, c.Server, false)
	}
	if local(server) {
		at, redirected := p.served(w, server, c)
		o.ask(p, end{c, false}, at, c.Client, redirected || server == cause.App)
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
		if pod.Transparent && !p.ambient { // by TPROXY
			port = 0
		}
	}
	if port == 0 {
		return c.Server, false
	}
	return netip.AddrPortFrom(inside, port), true
}

// ask has the process with a socket be found, unless it was found before. Only
// where nobody but the part in question can listen is a listener good, too.
func (o *holders) ask(pod podSockets, at end, own, other netip.AddrPort, listener bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.known[at]
	if !ok {
		if len(o.known) >= maxHolders {
			clear(o.known)
		}
		s = &socket{socketKey: socketKey{pod.netns, own, other}}
		o.known[at] = s
	}
	if s.PID != 0 && !s.listening || o.questions == nil {
		return
	}
	select {
	case o.questions <- question{pod, s, listener}:
	default:
	}
}

// answer finds processes until there are no more questions.
func (o *holders) answer() {
	defer close(o.answered)
	for q := range o.questions {
		if h, ok := o.find(&q); ok {
			o.mu.Lock()
			q.socket.holder = h
			o.mu.Unlock()
		}
	}
}

// find asks the kernel for a socket, and looks for its process.
func (o *holders) find(q *question) (holder, bool) {
	s, ok := q.pod.Find(q.socket.local, q.socket.remote)
	if !ok && q.listener {
		// What is left of a closed socket hides the one that listens.
		s, ok = q.pod.Find(q.socket.local, netip.AddrPortFrom(q.socket.remote.Addr(), 0))
	}
	if !ok || s.Listening && !q.listener {
		return holder{}, false
	}
	p, known := o.listeners[s.Inode]
	if !known {
		if p, known = o.process(s.Inode); known && s.Listening {
			o.listeners[s.Inode] = p
		}
	}
	return holder{p, s.UID, true, s.Listening}, known
}
