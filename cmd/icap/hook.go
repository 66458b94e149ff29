package main

import (
	"slices"

	"icap/internal/capture"
)

// number gives each source that has none yet its interfaces in the file.
func (s *session) number() {
	for i := len(s.ids); i < len(s.sources); i++ {
		src := s.sources[i]
		src.first = len(s.interfaces)
		own := src.interfaces()
		s.interfaces = append(s.interfaces, own...)
		s.owner = append(s.owner, slices.Repeat([]int{i}, len(own))...)
		next := src.first
		var ids []int
		for leg := range src.legs.All() {
			for len(ids) <= int(leg) {
				ids = append(ids, -1)
			}
			ids[leg] = next
			next++
		}
		s.ids = append(s.ids, ids)
	}
}

// plain reports whether there is but one interface, and not of a pod.
func (s *session) plain() bool {
	return len(s.sources) == 1 && !s.sources[0].ofPod() && !s.following
}

// hookIfNeeded is the hook, or nil if it would do nothing.
func (s *session) hookIfNeeded() capture.Hook {
	if s.plain() && !s.sources[0].byHand && s.flags.skip == 0 {
		return nil
	}
	return s.hook
}

// hook puts a packet on its interface in the file, and leaves out those that
// the filter rejects, if the kernel could not do it, and those of legs that are
// not wanted, and the first ones of --skip.
func (s *session) hook(p *capture.Packet) bool {
	src := s.sources[p.Source]
	if src.rejects(p) {
		src.rejected++
		return false
	}
	if src.handed.over(p.Time) {
		return false
	}
	p.Interface = src.first
	if src.ofPod() {
		leg := src.leg(p, &s.headers)
		if !src.legs.Has(leg) {
			return false
		}
		p.Interface = s.ids[p.Source][leg]
		if s.observe != nil {
			s.observe(src, p, leg, &s.headers)
		}
	}
	if s.skipped < s.flags.skip {
		s.skipped++
		src.skipped++
		return false
	}
	return true
}
