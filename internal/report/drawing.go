package report

import (
	"fmt"
	"slices"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/sight"
)

// A drawing is events as a sequence between those who take part.
type drawing struct {
	actors []actor
	rows   []row
	conns  []*flow.Conn // numbered from 1 in the order of their first event
	left   int          // events that there was no room for
}

// A row is one event, as an arrow between the lifelines of two actors.
type row struct {
	at       int64
	from, to int
	conn     int // its number
	label    string
	said     string // in words, empty for what needs none
	culprit  bool   // who did it has done harm
	lost     bool   // nothing arrived
}

// maxRows is how many events are drawn: more than people look at.
const maxRows = 1000

// draw arranges findings, besides which there are some that are left out.
func draw(all []*cause.Finding, left int, names Names) *drawing {
	d := &drawing{left: left, actors: cast(all)}
	drawn := make(map[*cause.Finding]bool, len(all))
	for _, f := range all {
		drawn[f] = true
	}
	for _, f := range all {
		if f.Received && drawn[f.Twin] {
			continue // it is the same packet
		}
		d.add(f, names)
	}
	return d
}

// number is that of the connection of a finding, whichever end of it shows it.
func (d *drawing) number(f *cause.Finding) (n int, first bool) {
	n = slices.Index(d.conns, f.Conn) + 1
	if n == 0 && f.Twin != nil {
		n = slices.Index(d.conns, f.Twin.Conn) + 1
	}
	if n > 0 {
		return n, false
	}
	d.conns = append(d.conns, f.Conn)
	return len(d.conns), true
}

func (d *drawing) add(f *cause.Finding, names Names) {
	from, to := between(f)
	n, first := d.number(f)
	r := row{
		at: f.Time, from: slices.Index(d.actors, from), to: slices.Index(d.actors, to), conn: n,
		label: fmt.Sprintf("%s #%d", f.Event.Kind, n), lost: f.Kind == flow.NoAnswer || f.Passage == cause.Lost,
	}
	switch f.Kind {
	case flow.Reset, flow.NoAnswer, flow.Undelivered, flow.Retransmits, flow.NoRoom:
		r.culprit = !f.Harmless
		r.said = told(f, names)
	default:
		r.culprit = f.Passage == cause.Forged
		if f.Because != "" || f.Sure != cause.Certain || f.Passage == cause.Lost || r.culprit {
			r.said = told(f, names)
		}
	}
	if first {
		r.said = sentences(fmt.Sprintf("#%d is %s %s > %s", n, sight.Name(f.Conn.Place), f.Conn.Client, f.Conn.Server), r.said)
	}
	d.rows = append(d.rows, r)
}

func sentences(a, b string) string {
	if b == "" {
		return a
	}
	return a + ". " + b
}

// told is who did it, why, how sure that is, and what came of it.
func told(f *cause.Finding, names Names) string {
	s := f.Who
	if h, ok := doer(names, f); ok {
		s += fmt.Sprintf(" (%s)", h)
	}
	s += fmt.Sprintf(" (%s)", f.Sure)
	s += lost(f)
	if f.Why != "" {
		s += ": " + f.Why
	}
	if f.Harmless {
		s += "; harmless"
	}
	impact := f.Impact
	if impact == "" && f.Twin != nil {
		impact = f.Twin.Impact
	}
	for _, more := range []string{impact, f.Because} {
		if more != "" {
			s += ". " + more
		}
	}
	return s
}

// name is what stands above a lifeline.
func (d *drawing) name(a actor) string {
	if a.pod == "" || a.pod == d.actors[0].pod && a.pod == d.actors[len(d.actors)-1].pod {
		return string(a.part)
	}
	return fmt.Sprintf("%s of %s", a.part, a.pod)
}

// since is the time of a row after the first one, in milliseconds.
func (d *drawing) since(r *row) string {
	return fmt.Sprintf("%.3f ms", float64(r.at-d.rows[0].at)/1e6)
}
