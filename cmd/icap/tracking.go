package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"icap/internal/kernel"
	"icap/internal/stitch"
	"icap/istiofilter"
)

// A tracking is told of the connections that the kernel of a place begins to
// keep track of, by one socket, and passes that on to all that want to know.
type tracking struct {
	place *place
	// Either may be nil.
	openers      *openers
	translations *stitch.Translations

	once sync.Once
	mu   sync.Mutex
	// watch is nil before the start and after the stop.
	watch   *kernel.Watch
	polling sync.Mutex // with --split several workers do
}

// newTracking returns nil where nobody wants to know.
func newTracking(p *place, o *openers, t *stitch.Translations) *tracking {
	if o == nil && t == nil {
		return nil
	}
	return &tracking{place: p, openers: o, translations: t}
}

// start begins to watch, before packets are captured, and takes in the
// connections that are there already. An error means that nothing is told.
func (t *tracking) start() (err error) {
	if t == nil {
		return nil
	}
	t.once.Do(func() {
		var w *kernel.Watch
		if w, err = t.place.watch(); err != nil {
			return
		}
		t.mu.Lock()
		t.watch = w
		t.mu.Unlock()
		if err = t.readAll(); err != nil {
			t.stop()
			return
		}
		go t.run(w)
	})
	return err
}

// stop ends the watch.
func (t *tracking) stop() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch != nil {
		_ = t.watch.Close() // it was only read
		t.watch = nil
	}
}

func (t *tracking) run(w *kernel.Watch) {
	for {
		conns, err := w.Next()
		switch {
		case errors.Is(err, os.ErrClosed):
			return
		case errors.Is(err, kernel.ErrMissed):
			_ = t.readAll() // the sandbox may not let it: then packets have to tell
			err = nil
		}
		if err != nil {
			t.stop() // what is not known stays so
			return
		}
		t.take(w, conns)
	}
}

// take passes on what was made.
func (t *tracking) take(w *kernel.Watch, conns []kernel.Connection) {
	t.translate(conns)
	if t.openers != nil {
		t.openers.learn(w, conns)
	}
}

// catchUp takes in what the kernel has told and nobody has read yet.
func (t *tracking) catchUp() {
	w := t.current()
	if w == nil {
		return
	}
	t.polling.Lock()
	defer t.polling.Unlock()
	conns, err := w.Poll()
	if errors.Is(err, kernel.ErrMissed) {
		_ = t.readAll() // as in run
	}
	t.take(w, conns)
}

func (t *tracking) current() *kernel.Watch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.watch
}

// readAll takes in what the kernel keeps track of now.
func (t *tracking) readAll() error {
	if t.translations == nil {
		return nil
	}
	all, err := t.place.connections()
	t.translate(all)
	return err
}

func (t *tracking) translate(conns []kernel.Connection) {
	if t.translations == nil {
		return
	}
	now := time.Now()
	for i := range conns {
		c := &conns[i]
		t.translations.Note(now, c.Proto, c.Src, c.Dst, c.ReplySrc, c.ReplyDst)
	}
}

// restore gives a redirected half the addresses that the app sees, if they are
// known.
func (t *tracking) restore(table *stitch.Table, conn *stitch.Conn) {
	if t == nil || t.translations == nil || table.Translate(conn, t.translations) || conn.Decided() {
		return // what is waited for no more costs no system call
	}
	t.catchUp()
	table.Translate(conn, t.translations)
}

// know says who opened connections that are older than the capture.
func (t *tracking) know(conns []istiofilter.Conn) {
	if t == nil || t.openers == nil {
		return
	}
	if w := t.current(); w != nil {
		t.openers.know(w, conns)
	}
}

// track starts a tracking of a place for all that is wanted there, and says
// what is not known without it. Redirects says whether the place can have
// redirected connections.
func (s *session) track(p *place, o *openers, redirects bool) *tracking {
	var translations *stitch.Translations
	if s.flags.stitch && redirects {
		translations = new(stitch.Translations)
	}
	t := newTracking(p, o, translations)
	err := t.start()
	switch {
	case err == nil:
	case o != nil:
		fmt.Fprintf(s.errs, "icap: note: %s: who opens connections is not known: %v\n", printable(p.title), err)
	default:
		fmt.Fprintf(s.errs, "icap: note: %s: redirected connections are stitched by their packets alone: %v\n", printable(p.title), err)
	}
	return t
}
