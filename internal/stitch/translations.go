package stitch

import (
	"net/netip"
	"sync"
	"time"
)

// Translations are what the connection tracking of one network namespace knows
// of redirected connections. Of many, the ones that were told first are
// forgotten. The zero value is empty. It is for any number of goroutines.
type Translations struct {
	mu         sync.Mutex
	young, old map[half]translation
}

// A translation is what the app sees of a half, and when that was told.
type translation struct {
	src, dst netip.AddrPort
	at       time.Time
	// either says that a moment before something else was true, so that it
	// takes the packets themselves to know which of them are meant.
	either bool
}

// maxTranslations is how many are kept at least, and half of how many at most.
const maxTranslations = 1 << 16

// moment is how much later than its packets a translation may be told, or the
// packets of one that is over be looked up.
const moment = 5 * time.Second

// Note takes an entry of connection tracking at the time it was read: the
// original direction is from src to dst, answers are sent from replySrc to
// replyDst.
func (t *Translations) Note(at time.Time, proto uint8, src, dst, replySrc, replyDst netip.AddrPort) {
	h := half{proto, replyDst, replySrc} // what the receiver gets
	if !h.redirected() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := translation{src: src, dst: dst, at: at}
	if was, ok := t.find(h); ok {
		changed := was.src != src || was.dst != dst
		now.either = at.Sub(was.at) < moment && (changed || was.either)
	}
	if t.young == nil || len(t.young) >= maxTranslations {
		t.old, t.young = t.young, make(map[half]translation)
	}
	t.young[h] = now
}

func (t *Translations) find(h half) (translation, bool) {
	if found, ok := t.young[h]; ok {
		return found, true
	}
	found, ok := t.old[h]
	return found, ok
}

// of is what the app sees of a half.
func (t *Translations) of(h half) (src, dst netip.AddrPort, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.find(h)
	return found.src, found.dst, ok && !found.either
}
