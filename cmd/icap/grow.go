package main

import (
	"slices"

	"icap/afpacket"
	"icap/pcapwriter"
)

// grow adds sources, whose rings are open, to a capture that runs. It is called
// by the capture.
func (s *session) grow(sources []*source, names []pcapwriter.Name) error {
	s.mu.Lock()
	first := len(s.interfaces)
	for _, src := range sources {
		s.assign(len(s.sources), src.rings)
		s.sources = append(s.sources, src)
	}
	s.number()
	s.mu.Unlock()
	return s.tracks[0].out.Grow(s.interfaces[first:], s.owner[first:], names)
}

// stop takes the rings of sources off the wire, but for those that have left.
// What they hold is written.
func (s *session) stop(sources []*source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, src := range sources {
		src.tracking.stop()
		for _, r := range src.rings {
			if slices.ContainsFunc(s.tracks, func(t *track) bool { return slices.Contains(t.rings, r) }) {
				_ = r.Stop() // one whose interface is gone cannot be stopped, nor need it
			}
		}
	}
}

// leave closes rings that deliver no more, so that a namespace that is gone is
// given up. It is nil where none is followed by another.
func (s *session) leave(t *track) func(*afpacket.Ring) {
	if !s.following {
		return nil
	}
	return func(r *afpacket.Ring) {
		s.mu.Lock()
		i := slices.Index(t.rings, r)
		src := s.sources[t.of[i]]
		t.rings = slices.Delete(slices.Clone(t.rings), i, i+1)
		t.of = slices.Delete(slices.Clone(t.of), i, i+1)
		if !slices.ContainsFunc(t.rings, func(r *afpacket.Ring) bool { return slices.Contains(src.rings, r) }) {
			s.retire(src)
		}
		s.mu.Unlock()
		_ = r.Close() // its statistics are read
	}
}
