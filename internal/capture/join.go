package capture

import (
	"slices"

	"icap/afpacket"
)

// An Addition is rings that join a capture while it runs.
type Addition struct {
	// Rings are open and not yet started.
	Rings []*afpacket.Ring
	// Of says, for each ring, of which of the new sources it is, from 0. Nil
	// means that each ring is a source.
	Of []int
	// Join is called before the rings are started, with the index of the
	// first of the new sources, by the goroutine that calls Hook and Sink: so
	// these can get ready. Its error ends the capture. It may be nil.
	Join func(first int) error
	// Started is called when the rings are on the wire; it may be nil. Where
	// one could not be started, Fault was told.
	Started func()
}

// sources is their number.
func (a *Addition) sources() int {
	if a.Of == nil {
		return len(a.Rings)
	}
	return slices.Max(a.Of) + 1
}

// join takes an addition in.
func (m *merge) join(a *Addition) error {
	ring, first := len(m.config.Rings), len(m.result.Sources)
	m.grow(a, first)
	if a.Join != nil {
		if err := a.Join(first); err != nil {
			return err
		}
	}
	for i := ring; i < len(m.config.Rings); i++ {
		if err := m.config.Rings[i].Start(); err != nil {
			m.ended[i] = true
			m.fault(signal{i, err})
			continue
		}
		m.startWatch(i)
	}
	if a.Started != nil {
		a.Started()
	}
	return nil
}

// grow makes room for new rings and sources in all that is kept for each.
func (m *merge) grow(a *Addition, first int) {
	c, n := m.config, len(a.Rings)
	for i := range a.Rings {
		of := i
		if a.Of != nil {
			of = a.Of[i]
		}
		c.Of = append(c.Of, first+of)
	}
	c.Rings = append(c.Rings, a.Rings...)
	m.result.Sources = append(m.result.Sources, make([]Source, a.sources())...)
	for range n {
		m.taken = append(m.taken, make(chan struct{}, 1))
	}
	m.rest = append(m.rest, make([]bool, n)...)
	m.ended = append(m.ended, make([]bool, n)...)
	m.left = append(m.left, make([]bool, n)...)
	m.held = append(m.held, make([]int, n)...)
	m.latest = append(m.latest, make([]int64, n)...)
	m.counts = append(m.counts, make([]afpacket.Stats, n)...)
	m.untold = append(m.untold, make([]uint64, n)...)
}

// own gives a capture that others can join lists of its own: the caller's
// stay as they are.
func (c *Config) own() {
	if c.More == nil {
		return
	}
	c.Rings = slices.Clone(c.Rings)
	if c.Of == nil {
		for i := range c.Rings {
			c.Of = append(c.Of, i)
		}
	}
	c.Of = slices.Clone(c.Of)
}

// dismiss lets the rings go that have ended, and of which nothing is at hand.
// Their counts are final.
func (m *merge) dismiss() {
	if m.config.Left == nil {
		return
	}
	for i, ended := range m.ended {
		if !ended || m.left[i] || m.held[i] > 0 || m.atHand(i) {
			continue
		}
		m.count(i)
		m.left[i] = true
		m.config.Left(m.config.Rings[i])
	}
}
