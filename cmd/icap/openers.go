package main

import (
	"net/netip"
	"slices"
	"sync"

	"icap/internal/kernel"
	"icap/istiofilter"
)

// openers find out who opens the connections of a pod. They ask the kernel as
// soon as it begins to keep track of one, since most sockets are closed by the
// time that their packets are read from the ring.
type openers struct {
	place  *place
	proxy  proxy
	spares bool // the rules leave connections alone
	node   bool // the namespace is that of the node
	// control are the ports of the control plane. Where these are others than
	// Istio's usual ones, it matters whether proxy or agent calls there.
	control []uint16

	mu   sync.Mutex
	made map[ends]istiofilter.Opener
	// last is who was last known to open a connection to there.
	last map[netip.AddrPort]istiofilter.Opener
}

// ends are those of a connection that the pod has made.
type ends struct{ local, remote netip.AddrPort }

// maxOpeners is how many connections are kept: far more than are made within
// the time that a packet may take to be read.
const maxOpeners = 1 << 14

// newOpeners returns nil where nothing depends on them.
func newOpeners(p *place, f *facts) *openers {
	o := &openers{
		place: p, proxy: f.proxy, spares: f.pod.Spares(), node: f.pod.Shared, control: f.pod.Control,
		made: make(map[ends]istiofilter.Opener), last: make(map[netip.AddrPort]istiofilter.Opener),
	}
	if f.ambient || !o.spares && !o.node && !o.shared() {
		return nil
	}
	return o
}

// shared reports whether agent and app may call the same ports.
func (o *openers) shared() bool {
	return len(o.proxy.agents) > 0 && slices.ContainsFunc(o.control, func(port uint16) bool { return !slices.Contains(usualControl[:], port) })
}

// natural reports whether a connection is not redirected. On a node those to
// the address of a service are, to one of its pods.
func (o *openers) natural(c *kernel.Connection) bool {
	return c.ReplySrc == c.Dst || o.node && !c.ReplySrc.Addr().IsLoopback()
}

// matters reports whether it matters who opens connections to a port.
func (o *openers) matters(port uint16) bool {
	return o.spares || o.node || slices.Contains(o.control, port)
}

// learn takes note of connections that were made.
func (o *openers) learn(w *kernel.Watch, conns []kernel.Connection) {
	for i := range conns {
		if c := &conns[i]; c.Proto == kernel.ProtoTCP && o.natural(c) && o.matters(c.Dst.Port()) {
			// As the network sees it, past the addresses of services.
			o.note(ends{c.ReplyDst, c.ReplySrc}, o.ask(w, c))
		}
	}
}

// ask says who has a connection.
func (o *openers) ask(w *kernel.Watch, c *kernel.Connection) istiofilter.Opener {
	uid, inode, ok := w.Owner(c.Src, c.Dst)
	switch {
	case !ok:
		return istiofilter.OpenerUnknown
	case slices.Contains(o.control, c.Dst.Port()) && slices.Contains(o.proxy.users, int(uid)):
		return o.askAgents(inode)
	case slices.Contains(o.proxy.users, int(uid)) && uid != 0:
		return istiofilter.OpenerProxy
	case !slices.Contains(o.proxy.users, int(uid)):
		return istiofilter.OpenerApp
	}
	// Root may be the app, too.
	switch found, err := o.place.holds(o.proxy.processes, inode, false); {
	case found:
		return istiofilter.OpenerProxy
	case err != nil || len(o.proxy.processes) == 0:
		return istiofilter.OpenerUnknown
	}
	return istiofilter.OpenerApp
}

// askAgents says whether a socket is an agent's. Without an agent nobody knows
// for whom the proxy calls the control plane.
func (o *openers) askAgents(inode uint64) istiofilter.Opener {
	if len(o.proxy.agents) == 0 {
		return istiofilter.OpenerUnknown
	}
	switch found, err := o.place.holds(o.proxy.agents, inode, true); {
	case found:
		return istiofilter.OpenerAgent
	case err != nil:
		return istiofilter.OpenerUnknown
	}
	return istiofilter.OpenerProxy
}

func (o *openers) note(e ends, by istiofilter.Opener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.made) >= maxOpeners {
		clear(o.made)
	}
	if len(o.last) >= maxOpeners {
		clear(o.last)
	}
	if by == istiofilter.OpenerUnknown {
		by = o.last[e.remote] // as of now: others may follow before the packets are read
	} else {
		o.last[e.remote] = by
	}
	o.made[e] = by
}

// of is who opened a connection, or where the socket was closed before it could
// be asked about, who has opened one to the same place before.
func (o *openers) of(local, remote netip.AddrPort) istiofilter.Opener {
	if o == nil {
		return istiofilter.OpenerUnknown
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if by, ok := o.made[ends{local, remote}]; ok {
		return by
	}
	return o.last[remote]
}

// know says who opened connections that are older than the capture.
func (o *openers) know(w *kernel.Watch, conns []istiofilter.Conn) {
	for i := range conns {
		c := &conns[i]
		if k := (&kernel.Connection{Src: c.Src, Dst: c.Dst, ReplySrc: c.ReplySrc}); o.natural(k) && o.matters(c.Dst.Port()) {
			c.Opener = o.ask(w, &kernel.Connection{Src: c.Src, Dst: c.Dst})
		}
	}
}
