package main

import (
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"icap/internal/kernel"
	"icap/internal/socktrace"
)

// witnesses saw what sockets did at the moment they did it, which is sooner
// than their packets are read. So they know of sockets that are gone.
type witnesses struct {
	proc string

	mu    sync.Mutex
	seen  map[socketKey][]sighting
	order []socketKey // one for each sighting
	next  int         // is the oldest, once there is no more room
}

// A socketKey tells sockets apart, as long as they live.
type socketKey struct {
	netns         uint64
	local, remote netip.AddrPort
}

// A sighting is of one socket.
type sighting struct {
	at     int64 // in nanoseconds since 1970
	kind   socktrace.Kind
	holder holder
	reason string
}

// maxSightings is how many are remembered, and nearby how far an event may be
// from the one that is asked for, in nanoseconds, to be the same.
const (
	maxSightings = 1 << 16
	nearby       = 1_000_000_000
)

func (w *witnesses) note(k socketKey, s sighting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[socketKey][]sighting)
	}
	w.seen[k] = append(w.seen[k], s)
	if len(w.order) < maxSightings {
		w.order = append(w.order, k)
		return
	}
	oldest := w.order[w.next]
	w.order[w.next] = k
	w.next = (w.next + 1) % maxSightings
	if w.seen[oldest] = w.seen[oldest][1:]; len(w.seen[oldest]) == 0 {
		delete(w.seen, oldest)
	}
}

// nearest is the sighting of a socket that is closest to a time, of those that
// are wanted.
func (w *witnesses) nearest(k socketKey, at int64, wanted func(*sighting) bool) (best sighting, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen[k] {
		if wanted(&s) && (!ok || apart(s.at, at) < apart(best.at, at)) {
			best, ok = s, true
		}
	}
	return best, ok
}

func apart(a, b int64) int64 { return max(a-b, b-a) }

// holderOf is who had a socket, at best at that time: a process, or else a
// user.
func (w *witnesses) holderOf(k socketKey, at int64) (holder, bool) {
	s, ok := w.nearest(k, at, func(s *sighting) bool { return s.holder.PID != 0 })
	if !ok {
		s, ok = w.nearest(k, at, func(s *sighting) bool { return s.holder.hasUID })
	}
	return s.holder, ok
}

// reasonOf is why the kernel sent a RST from a socket's address at that time,
// as far as it says. It is not ok if TCP sent none.
func (w *witnesses) reasonOf(k socketKey, at int64) (reason string, ok bool) {
	s, ok := w.nearest(k, at, func(s *sighting) bool {
		return s.kind == socktrace.Sent && apart(s.at, at) < nearby
	})
	return s.reason, ok
}

// tookReset reports whether a socket was ended by a RST at that time, and so
// that it was not one to be ignored.
func (w *witnesses) tookReset(k socketKey, at int64) bool {
	_, ok := w.nearest(k, at, func(s *sighting) bool {
		return s.kind == socktrace.Received && apart(s.at, at) < nearby
	})
	return ok
}

// hear takes what eBPF tells until its end.
func (w *witnesses) hear(trace *socktrace.Trace) {
	for {
		r, err := trace.Next()
		if err != nil {
			return
		}
		if r.Kind == socktrace.State && r.PID == 0 {
			continue // nobody did that
		}
		h := holder{UID: r.UID, hasUID: r.HasUID}
		if r.PID != 0 {
			h.Process = kernel.Process{PID: r.PID, Command: w.command(r.PID, r.TID, r.Command)}
		}
		w.note(socketKey{uint64(r.Netns), r.Local, r.Remote}, sighting{r.Time, r.Kind, h, r.Reason})
	}
}

// command is the name of a process of which the name of a thread is known. That
// has to be right, or else the process is gone or is one of another namespace.
func (w *witnesses) command(pid, tid int, thread string) string {
	dir := filepath.Join(w.proc, strconv.Itoa(pid))
	name, err := os.ReadFile(filepath.Join(dir, "comm"))
	own, terr := os.ReadFile(filepath.Join(dir, "task", strconv.Itoa(tid), "comm"))
	if err != nil || terr != nil || printable(strings.TrimSuffix(string(own), "\n")) != thread {
		return thread
	}
	return strings.TrimSuffix(string(name), "\n")
}

// leisure is how long a search may take to be made for each connection. Where
// it takes longer, half of the time is spent on it at most.
const leisure = 2 * time.Millisecond

// watch asks who has made each connection that a namespace begins to keep
// track of, until the end of the watch.
func (w *witnesses) watch(netns uint64, conns *kernel.Watch, find finder) {
	type asked struct {
		key  socketKey
		user uint32
	}
	var looked time.Time // when the last search ended
	var took time.Duration
	for {
		made, err := conns.Next()
		if errors.Is(err, kernel.ErrMissed) {
			continue // whose those were is not known
		}
		if err != nil {
			return
		}
		sockets := make(map[uint64]asked)
		for i := range made {
			c := &made[i]
			if c.Proto != kernel.ProtoTCP {
				continue
			}
			if uid, inode, ok := conns.Owner(c.Src, c.Dst); ok {
				sockets[inode] = asked{socketKey{netns, c.Src, c.Dst}, uid}
			}
		}
		var found map[uint64]kernel.Process
		if took < leisure || time.Since(looked) > took {
			begun := time.Now()
			found = find.processes(slices.Collect(maps.Keys(sockets)))
			looked = time.Now()
			took = looked.Sub(begun)
		}
		for inode, s := range sockets {
			h := holder{UID: s.user, hasUID: true}
			h.Process = found[inode]
			w.note(s.key, sighting{at: time.Now().UnixNano(), holder: h})
		}
	}
}
