//go:build !nodemo

package main

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"icap/internal/capture"
	"icap/internal/flow"
	"icap/istiofilter"
)

// A way follows one request through a pod: when its first and last byte
// passed each leg. It takes the packets with payload between begin and end,
// when nothing else runs.
type way struct {
	mu         sync.Mutex
	start, fin time.Time
	passed     map[istiofilter.Leg]*passage
}

// A passage is a request's on one leg, as times since its first byte.
type passage struct {
	leg         istiofilter.Leg
	on          string
	first, last time.Duration
	packets     int
}

// begin says that the request starts, after what came before has settled.
func (w *way) begin(settled time.Duration) {
	time.Sleep(settled)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start = time.Now()
}

// end says that the request is answered.
func (w *way) end(settled time.Duration) {
	w.mu.Lock()
	w.fin = time.Now()
	w.mu.Unlock()
	time.Sleep(settled)
}

// observe is shown every packet, some time after it was seen by the kernel.
func (w *way) observe(s *source, p *capture.Packet, leg istiofilter.Leg, h *flow.Headers) {
	at := p.Timestamp()
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.PayloadLen == 0 || w.start.IsZero() || at.Before(w.start) || !w.fin.IsZero() && at.After(w.fin) {
		return
	}
	if w.passed == nil {
		w.passed = make(map[istiofilter.Leg]*passage)
	}
	since := at.Sub(w.start)
	l := w.passed[leg]
	if l == nil {
		l = &passage{leg: leg, on: s.link.Name, first: since}
		w.passed[leg] = l
	}
	l.last = since
	l.packets++
}

// legs are the passages in the order of their beginning, the first of which is
// time 0.
func (w *way) legs() []passage {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Pointers, of which sorting is in the program anyway.
	passed := slices.SortedFunc(maps.Values(w.passed), func(a, b *passage) int { return cmp.Compare(a.first, b.first) })
	var all []passage
	for _, l := range passed {
		p := *l
		p.first -= passed[0].first
		p.last -= passed[0].first
		all = append(all, p)
	}
	return all
}
