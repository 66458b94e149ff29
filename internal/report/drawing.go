package report

import (
	"cmp"
	"fmt"
	"slices"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// A drawing is events as a sequence between those who take part.
type drawing struct {
	actors []actor
	rows   []row
	conns  []*flow.Conn // numbered from 1 in the order of their first event
	left   int          // events that there was no room for
}

// An actor has a lifeline.
type actor struct {
	pod  string
	part cause.Part
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
	d := &drawing{left: left}
	for _, f := range all {
		from, to := between(f)
		for _, a := range []actor{from, to} {
			if !slices.Contains(d.actors, a) {
				d.actors = append(d.actors, a)
			}
		}
	}
	slices.SortStableFunc(d.actors, func(a, b actor) int {
		return cmp.Or(cmp.Compare(a.pod, b.pod), cmp.Compare(rank(a.part), rank(b.part)))
	})
	for _, f := range all {
		d.add(f, names)
	}
	return d
}

// rank puts outside on the left and the app on the right.
func rank(p cause.Part) int {
	return slices.Index([]cause.Part{cause.Peer, cause.Client, cause.Proxy, cause.Pod, cause.App, cause.Server}, p)
}

// between are who sent the packet of an event, and to whom.
func between(f *cause.Finding) (from, to actor) {
	client, server := f.Parts(&f.Event)
	from, to = actor{plain.Text(f.Pod), client}, actor{plain.Text(f.Pod), server}
	if !f.ByClient {
		from, to = to, from
	}
	return from, to
}

func (d *drawing) add(f *cause.Finding, names Names) {
	from, to := between(f)
	n := slices.Index(d.conns, f.Conn) + 1
	first := n == 0
	if first {
		d.conns = append(d.conns, f.Conn)
		n = len(d.conns)
	}
	r := row{
		at: f.Time, from: slices.Index(d.actors, from), to: slices.Index(d.actors, to), conn: n,
		label: fmt.Sprintf("%s #%d", f.Event.Kind, n), lost: f.Kind == flow.NoAnswer,
	}
	switch f.Kind {
	case flow.Reset, flow.NoAnswer, flow.Undelivered, flow.Retransmits, flow.NoRoom:
		r.culprit = !f.Harmless
		r.said = told(f, names)
	default:
		if f.Because != "" || f.Sure != cause.Certain {
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
	if f.Why != "" {
		s += ": " + f.Why
	}
	if f.Harmless {
		s += "; harmless"
	}
	for _, more := range []string{f.Impact, f.Because} {
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
