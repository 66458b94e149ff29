package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// An EventsConfig says which events are printed, and how.
type EventsConfig struct {
	// Only are the kinds of events that are printed, by the names of --only in
	// the help; none means all.
	Only []string
	// Format is text, json, mermaid, svg or html; "" means text. The pictures
	// are written at the end.
	Format string
	// Names tells who has the sockets; it may be nil.
	Names Names
}

// Events prints what happened to connections. It is for one goroutine.
type Events struct {
	tracker flow.Tracker
	judge   *cause.Judge
	names   Names
	pod     string // of the first connection
	several bool   // there is another one
	finish  func() error
	err     error // of printing
}

// NewEvents prints to out. An error says what of the configuration makes no
// sense.
func NewEvents(out io.Writer, c EventsConfig) (*Events, error) {
	kinds, err := parseKinds(c.Only)
	if err != nil {
		return nil, err
	}
	e := &Events{names: known(c.Names)}
	show, err := e.printer(out, c.Format)
	if err != nil {
		return nil, err
	}
	e.judge = cause.NewJudge(func(f *cause.Finding) {
		if kinds == nil || slices.Contains(kinds, f.Kind) {
			e.names.Explain(f)
			show(f)
		}
	})
	e.tracker.Begun = e.begin
	e.tracker.Done = e.judge.End
	e.tracker.Event = func(event *flow.Event) {
		place := event.Conn.Place
		e.names.Note(sight.Pod(place), sight.Where(place), event)
		e.judge.See(podName(event.Conn), sight.Where(place), event)
	}
	return e, nil
}

// See takes the next packet, in time order. What happened is printed about a
// second of packets later, when it is clear what came of it.
func (e *Events) See(s *flow.Sighting) {
	e.judge.Heard(s.Host, s.Wire, s.Time)
	if s.Missed > 0 {
		e.judge.Missed(plain.Text(s.Site), s.Time)
	}
	e.tracker.See(s)
}

// begin takes a connection that has begun.
func (e *Events) begin(c *flow.Conn) {
	pod := podName(c)
	e.pod = cmp.Or(e.pod, pod)
	e.several = e.several || pod != e.pod
	e.judge.Begin(endPod(c), sight.Where(c.Place), c)
}

// podName is the pod of a connection, harmless for terminals: verdicts have it
// in their text.
func podName(c *flow.Conn) string { return plain.Text(sight.Pod(c.Place)) }

// endPod is the pod that a connection ends in, "" if that is not known: a node
// also shows what it forwards.
func endPod(c *flow.Conn) string {
	const node = "host"
	if pod := podName(c); pod != node {
		return pod
	}
	return ""
}

// Finish says that no packet follows, and prints what is left. It returns the
// first error of the output.
func (e *Events) Finish() error {
	e.tracker.Done = nil // what waits is still to be judged by all connections
	e.tracker.Finish()
	e.judge.Flush()
	if err := e.finish(); e.err == nil {
		e.err = err
	}
	return e.err
}

// kindNames are the values of Only.
var kindNames = map[string]flow.Kind{
	"syn": flow.Opening, "syn-ack": flow.Accepted, "fin": flow.Closing, "rst": flow.Reset,
	"timeout": flow.NoAnswer, "retransmit": flow.Retransmits, "zero-window": flow.NoRoom, "icmp": flow.Undelivered,
}

func parseKinds(names []string) (kinds []flow.Kind, err error) {
	for _, name := range names {
		k, ok := kindNames[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("--only %q is not syn, syn-ack, fin, rst, timeout, icmp, retransmit or zero-window", name)
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// printer prints findings, and sets what prints the rest at the end.
func (e *Events) printer(out io.Writer, format string) (show func(*cause.Finding), err error) {
	e.finish = func() error { return nil }
	note := func(err error) {
		if e.err == nil {
			e.err = err
		}
	}
	switch format {
	case "", "text":
		return func(f *cause.Finding) {
			_, err := fmt.Fprintln(out, eventLine(f, e.names, e.several))
			note(err)
		}, nil
	case "json":
		lines := plain.NewJSON(out)
		return func(f *cause.Finding) { note(lines.Encode(newEventRecord(f, e.names))) }, nil
	}
	picture, ok := pictures[format]
	if !ok {
		return nil, fmt.Errorf("-o %q is not text, json, mermaid, svg or html", format)
	}
	var all []*cause.Finding
	left := 0
	e.finish = func() error { return picture(draw(all, left, e.names), out) }
	return func(f *cause.Finding) {
		if len(all) < maxRows {
			all = append(all, f)
		} else {
			left++
		}
	}, nil
}

// pictures are the formats for which all events have to be known.
var pictures = map[string]func(*drawing, io.Writer) error{
	"mermaid": (*drawing).mermaid,
	"svg":     (*drawing).svg,
	"html":    (*drawing).html,
}
