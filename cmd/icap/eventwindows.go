package main

import (
	"fmt"
	"io"
	"time"

	"icap/internal/plain"
	"icap/internal/window"
)

// windows count what --trigger has found, and tell it.
type windows struct {
	errs   io.Writer
	pre    time.Duration
	number int    // of windows
	events uint64 // in all of them
	left   uint64 // packets that are in none
	since  uint64 // of these, since the last one that is in one
	lost   uint64 // evicted, as last told
}

// pass is what is said of the first packet behind some that were left out, ""
// if none were.
func (w *windows) pass() string {
	if w.since == 0 {
		return ""
	}
	text := fmt.Sprintf("icap: %s before this one left out: not around an event", packets(w.since))
	w.since = 0
	return text
}

// drop counts a packet that is left out.
func (w *windows) drop() {
	w.left++
	w.since++
}

// event tells of the event that begins a window; oldest is when the oldest
// packet that is held was captured, 0 if none is.
func (w *windows) event(what, where string, at, oldest int64, evicted uint64) {
	w.number++
	fmt.Fprintf(w.errs, "icap: window %d: %s%s at %s\n", w.number, printable(what), printable(where), plain.Clock(at))
	if oldest != 0 && evicted > w.lost && oldest > at-int64(w.pre) {
		fmt.Fprintf(w.errs, "icap:   memory was short: it begins %v before that, not %v; see --max-memory\n",
			time.Duration(at-oldest).Round(time.Millisecond), w.pre)
	}
	w.lost = evicted
}

// end tells it all.
func (w *windows) end(evicted uint64) {
	fmt.Fprintf(w.errs, "icap: %s around %s, %s not around an event\n",
		counted(uint64(w.number), "window"), counted(w.events, "event"), packets(w.left))
	if evicted > 0 {
		fmt.Fprintf(w.errs, "icap: %s of these left memory before their time was over; see --max-memory\n", packets(evicted))
	}
}

// counted is a number of things, whose plural has an s.
func counted(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// remark puts another remark behind the comment of a packet.
func remark(comment, more string) string {
	if comment == "" || more == "" {
		return comment + more
	}
	return comment + "\n" + more
}

// begin tells of an event in a window, and passes on what it holds of the time
// before.
func begin[T any](w *windows, in *window.Window[T], what, where string, at int64) error {
	w.events++
	if in.Opens(at) {
		oldest, _ := in.Oldest()
		w.event(what, where, at, oldest, in.Evicted())
	}
	_, err := in.Event(at)
	return err
}
