package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"icap/internal/plain"
	"icap/internal/sight"
)

// counts are what --stats-json tells. All of them only grow, but for
// RingPercent and Goroutines.
type counts struct {
	Time        time.Time      `json:"time"`
	Seconds     float64        `json:"seconds"` // since the start
	Final       bool           `json:"final"`
	Captured    uint64         `json:"captured"`
	Received    uint64         `json:"received"`
	Dropped     uint64         `json:"dropped"`
	Bytes       uint64         `json:"bytes"` // of the output
	RingPercent int            `json:"ringPercent"`
	Goroutines  int            `json:"goroutines"` // of icap; goes up and down
	Sources     []sourceCounts `json:"sources"`
}

// sourceCounts are those of one interface of a namespace.
type sourceCounts struct {
	Name     string            `json:"name"`
	Captured uint64            `json:"captured"`
	Received uint64            `json:"received"`
	Dropped  uint64            `json:"dropped"`
	Excluded uint64            `json:"excluded"` // on other legs, or rejected by icap's filter
	Legs     map[string]uint64 `json:"legs,omitempty"`
}

// tellCounts prints a sample, as one line of JSON if so wished.
func (s *session) tellCounts(now *sample, since time.Duration, final bool) {
	var text bytes.Buffer
	s.writeCounts(&text, now, since, final)
	_, _ = s.errs.Write(text.Bytes()) // a terminal that does not take it is no reason to stop
}

func (s *session) writeCounts(text io.Writer, now *sample, since time.Duration, final bool) {
	filled := s.filled()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flags.stats.json {
		line, err := json.Marshal(s.counts(now, since, filled, final))
		if err == nil {
			fmt.Fprintf(text, "%s\n", plain.AppendASCII(nil, line))
		}
		return
	}
	total := now.result.Total()
	fmt.Fprintf(text, "icap: after %.1f s: %s captured, %d received by filter, %d dropped by kernel, %d bytes written, ring %d %% full\n",
		since.Seconds(), packets(now.captured()), total.Received, total.Dropped, now.bytes, filled)
	if len(s.interfaces) > 1 {
		for i := range now.result.Sources {
			fmt.Fprintf(text, "icap:   %s\n", s.sourceLine(i, &now.result.Sources[i], now.written))
		}
	}
}

func (s *session) counts(now *sample, since time.Duration, filled int, final bool) *counts {
	total := now.result.Total()
	c := &counts{
		Time:        time.Now(),
		Seconds:     since.Seconds(),
		Final:       final,
		Captured:    now.captured(),
		Received:    total.Received,
		Dropped:     total.Dropped,
		Bytes:       now.bytes,
		RingPercent: filled,
		Goroutines:  runtime.NumGoroutine(),
	}
	for i := range now.result.Sources {
		src, r := s.sources[i], &now.result.Sources[i]
		own := sourceCounts{Name: printable(src.at()), Received: r.Received, Dropped: r.Dropped, Excluded: r.Excluded}
		for id, owner := range s.owner[:len(now.written)] {
			if owner != i {
				continue
			}
			own.Captured += now.written[id]
			if src.ofPod() {
				if own.Legs == nil {
					own.Legs = make(map[string]uint64)
				}
				own.Legs[sight.Leg(s.interfaces[id].Name)] = now.written[id]
			}
		}
		c.Sources = append(c.Sources, own)
	}
	return c
}

// tellBlocked says what is known while the capture waits for its output.
func (s *session) tellBlocked() {
	fmt.Fprintf(s.errs, "icap: waiting for the output to be written; ring %d %% full\n", s.filled())
}

// progress changes the progress line.
func (m *meter) progress() {
	now, ok := m.session.sample()
	if !ok {
		m.session.errs.show(fmt.Sprintf("waiting for the output to be written; ring %d %% full", m.session.filled()))
		return
	}
	at := time.Now()
	if m.lastAt.IsZero() {
		m.lastAt = m.begin
	}
	since := at.Sub(m.lastAt).Seconds()
	rate := float64(now.captured()-m.last.captured()) / since
	line := fmt.Sprintf("%d packets, %s, %.0f packets/s, %s/s, %d dropped, ring %d %% full",
		now.captured(), plain.Bytes(float64(now.bytes)), rate, plain.Bytes(float64(now.bytes-m.last.bytes)/since),
		now.result.Total().Dropped, m.session.filled())
	m.session.errs.show(line)
	m.last, m.lastAt = now, at
}
