package window

import "time"

// A Config says how much is kept.
type Config struct {
	// Before and After are how much time of packets ahead of an event, and
	// behind it, is passed on.
	Before, After time.Duration
	// Late is how much later than packets of its time an event may be told
	// without being short of packets.
	Late time.Duration
	// Memory is how many bytes the window takes at most, what it knows of
	// each packet counted. Below MinMemory it is that.
	Memory int
}

// MinMemory is what a window takes at least once packets are held, in bytes.
const MinMemory = 2 << 20

// A Receiver is told what becomes of each packet, in their order.
type Receiver[T any] interface {
	// Pass takes a packet near an event. Both are valid during the call. An
	// error is passed on, and the packet is done with all the same.
	Pass(about *T, data []byte) error
	// Drop is told of a packet that is near none.
	Drop(about *T)
}

// A Window holds packets that are described by a T. It is for one goroutine.
type Window[T any] struct {
	config Config
	to     Receiver[T]
	held   store[T]

	opened      bool  // there was an event
	from, until int64 // what to pass on, in nanoseconds since 1970
	evicted     uint64
}

// New makes a window, which is empty.
func New[T any](c Config, to Receiver[T]) *Window[T] {
	w := &Window[T]{config: c, to: to}
	w.held.limit(max(c.Memory, MinMemory))
	return w
}

// Event says that something happened at a time, in nanoseconds since 1970: at
// that of the packet that is taken next, or at any other. Held packets that are
// near enough are passed on. Opens tells whether this begins another window,
// with a gap behind the last one.
func (w *Window[T]) Event(at int64) (opens bool, err error) {
	from, until := at-int64(w.config.Before), at+int64(w.config.After)
	opens = !w.opened || from > w.until || until < w.from
	if opens {
		w.from, w.until = from, until
	}
	w.opened = true
	w.from, w.until = min(w.from, from), max(w.until, until)
	return opens, w.release()
}

// Opens tells whether an event at a time would begin another window.
func (w *Window[T]) Opens(at int64) bool {
	return !w.opened || at-int64(w.config.Before) > w.until || at+int64(w.config.After) < w.from
}

// release passes on what is held of the window, and drops what is older. What
// is younger stays: the event may have been told late.
func (w *Window[T]) release() (err error) {
	for err == nil && !w.held.empty() {
		e := w.held.first()
		switch {
		case e.time > w.until:
			return nil
		case e.time < w.from:
			w.to.Drop(&e.about)
		default:
			err = w.to.Pass(&e.about, e.data)
		}
		w.held.pop()
	}
	return err
}

// Take takes the next packet, and copies it if it has to be held.
func (w *Window[T]) Take(at int64, about *T, data []byte) error {
	if w.opened && at >= w.from && at <= w.until {
		return w.to.Pass(about, data)
	}
	if w.config.Before+w.config.Late <= 0 {
		w.to.Drop(about)
		return nil
	}
	w.age(at - int64(w.config.Before+w.config.Late))
	for !w.held.push(at, about, data) {
		w.evicted++
		if w.held.empty() { // it is larger than the window
			w.to.Drop(about)
			return nil
		}
		w.to.Drop(&w.held.first().about)
		w.held.pop()
	}
	return nil
}

// age drops what is too old for an event that is still to come.
func (w *Window[T]) age(limit int64) {
	for !w.held.empty() && w.held.first().time < limit {
		w.to.Drop(&w.held.first().about)
		w.held.pop()
	}
}

// Clear drops all that is held, since no event comes any more.
func (w *Window[T]) Clear() {
	for !w.held.empty() {
		w.to.Drop(&w.held.first().about)
		w.held.pop()
	}
}

// Evicted is how many packets were dropped for want of memory, before they were
// too old.
func (w *Window[T]) Evicted() uint64 { return w.evicted }

// Oldest is when the oldest packet that is held was captured, in nanoseconds
// since 1970.
func (w *Window[T]) Oldest() (at int64, ok bool) {
	if w.held.empty() {
		return 0, false
	}
	return w.held.first().time, true
}

// Size is how many bytes the window has taken, used or not.
func (w *Window[T]) Size() int { return w.held.size }
