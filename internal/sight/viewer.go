package sight

import (
	"cmp"

	"icap/internal/flow"
	"icap/internal/stitch"
)

// A Viewer makes sightings of the entries of a [stitch.Stream].
type Viewer struct {
	wanted *Selection
	seen   flow.Sighting
	host   string // of what does not say where it is from
}

// NewViewer looks at packets that match an expression.
func NewViewer(expr string) *Viewer { return &Viewer{wanted: NewSelection(expr)} }

// View is the packet of an entry with the addresses that the app saw, valid
// until the next call. It is nil if there is none, or none that is wanted.
func (v *Viewer) View(e *stitch.Entry) (*flow.Sighting, error) {
	p, s := e.Block.Packet, &v.seen
	if p == nil {
		return nil, nil
	}
	if ok, err := v.wanted.Has(p); !ok {
		return nil, err
	}
	s.Packet = e.View.Packet
	if e.Conn != nil && e.Conn.Known() {
		s.Src, s.Dst = e.Conn.Original()
	}
	if p.Interface.Name != s.Place || s.Wire == "" {
		s.Place, s.Wire, s.Site = p.Interface.Name, Wire(p.Interface.Name), Pod(p.Interface.Name)
		s.Redirects, s.Host = redirectsOf(p.Interface), cmp.Or(hostOf(p.Interface), v.host)
	}
	s.Time, s.Len = p.Time, p.Len
	s.Received, s.Sent = p.Direction(e.Block.Order)
	s.Missed = p.Gap(e.Block.Order)
	return s, nil
}
