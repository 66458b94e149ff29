package gather

import "time"

// A hold is a clock that goes while packets are held back for silent streams,
// and only then. So what waits because the output is slow has not waited for
// anybody.
type hold struct {
	held  time.Duration // up to since
	since time.Time     // when it began to go, zero if it stands
}

func (h *hold) now() time.Duration {
	if h.since.IsZero() {
		return h.held
	}
	return h.held + time.Since(h.since)
}

func (h *hold) start() { h.since = time.Now() }

func (h *hold) stop() { h.held, h.since = h.now(), time.Time{} }

// shortage is what part of Delay is waited while memory is short.
const shortage = 10

// patience is how long packets wait for silent streams at present. They do not
// wait for one that waits for their memory.
func (g *Gatherer) patience() time.Duration {
	switch {
	case g.memory.starved():
		return 0
	case len(g.memory.hungry) > 0:
		return g.config.Delay / shortage
	}
	return g.config.Delay
}
