package measure

import (
	"fmt"
	"slices"
	"strings"
)

// Parts are what a suite consists of.
func Parts() []string { return []string{"loads", "search", "start", "idle", "garbage"} }

// Only leaves some of the Parts.
func (s *Suite) Only(parts []string) error {
	for _, p := range parts {
		if !slices.Contains(Parts(), p) {
			return fmt.Errorf("no part of a run is called %q, but %s", p, strings.Join(Parts(), ", "))
		}
	}
	without := func(part string) bool { return !slices.Contains(parts, part) }
	if without("loads") {
		s.Jobs = nil
	}
	if without("search") {
		s.SearchFor = nil
	}
	if without("start") {
		s.Starts = 0
	}
	if without("idle") {
		s.Idle = 0
	}
	if without("garbage") {
		s.Collect = Job{}
	}
	return nil
}

// OnlySizes leaves the loads whose frames are called one of these, such as
// "64" or "imix".
func (s *Suite) OnlySizes(names []string) error {
	var kept []Job
	for _, name := range names {
		before := len(kept)
		for _, j := range s.Jobs {
			if strings.EqualFold(strings.TrimSuffix(j.Mix(), " B"), name) {
				kept = append(kept, j)
			}
		}
		if len(kept) == before {
			return fmt.Errorf("no load has frames of %q", name)
		}
	}
	s.Jobs = kept
	return nil
}

// WithoutDisk leaves out the jobs whose files go to a disk, and tells which.
func (s *Suite) WithoutDisk() (left []Job) {
	s.Jobs = slices.DeleteFunc(s.Jobs, func(j Job) bool {
		if j.Disk {
			left = append(left, j)
		}
		return j.Disk
	})
	return left
}
