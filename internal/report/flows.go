package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// A FlowsConfig says how connections are listed.
type FlowsConfig struct {
	// Sort is start, bytes, packets or duration; "" means start.
	Sort string
	// Format is table, wide, json or csv; "" means table.
	Format string
	// Pairs lists which connection a proxy has made for which one, and which are
	// the two ends of one in two pods. Hops lists what each part of those that
	// lead through several pods took. Only one of both can be set.
	Pairs, Hops bool
	// Names tells who has the sockets; it may be nil.
	Names Names
}

// Flows lists connections. It is for one goroutine.
type Flows struct {
	tracker flow.Tracker
	all     []*flow.Conn
	names   Names
	order   func(a, b *flow.Conn) int
	write   func(io.Writer) error
	ids     flowIDs // once printed, with Pairs
	pod     string  // of the first connection
	several bool    // there is another one
}

// NewFlows returns an error that says what of the configuration makes no sense.
func NewFlows(c FlowsConfig) (*Flows, error) {
	f := &Flows{names: known(c.Names)}
	var ok bool
	if f.order, ok = flowOrders[cmp.Or(c.Sort, "start")]; !ok {
		return nil, fmt.Errorf("--sort %q is not start, bytes, packets or duration", c.Sort)
	}
	format := cmp.Or(c.Format, "table")
	list, ok := flowFormats[format]
	if !ok {
		return nil, fmt.Errorf("-o %q is not table, wide, json or csv", c.Format)
	}
	f.write = func(w io.Writer) error { return f.list(w, list) }
	pairs, hops := pairFormats[format], hopFormats[format]
	switch {
	case c.Pairs && c.Hops:
		return nil, errors.New("--pairs and --hops are two lists: choose one")
	case c.Pairs && pairs == nil:
		return nil, fmt.Errorf("--pairs is written as table, json or csv, not as %s", format)
	case c.Hops && hops == nil:
		return nil, fmt.Errorf("--hops is written as table, json or csv, not as %s", format)
	case c.Pairs:
		f.write = func(w io.Writer) error { return pairs(w, f.pair()) }
	case c.Hops:
		f.write = func(w io.Writer) error { return hops(w, f.pair().hops()) }
	}
	f.tracker.Begun = f.begin
	f.tracker.Done = func(c *flow.Conn) { f.all = append(f.all, c) }
	f.tracker.Event = func(e *flow.Event) {
		f.names.Note(sight.Pod(e.Conn.Place), sight.Where(e.Conn.Place), e)
	}
	return f, nil
}

// maxMarks is how many segments of a connection are remembered, to see when a
// request and its response went by: behind the handshake of TLS. Where there are
// as many connections as soonAlone and all are of one pod, there will be no
// other one.
const (
	maxMarks  = 12
	soonAlone = 4096
)

// begin takes a connection that has begun.
func (f *Flows) begin(c *flow.Conn) {
	pod := podName(c)
	f.pod = cmp.Or(f.pod, pod)
	f.several = f.several || pod != f.pod
	f.tracker.Marks = maxMarks
	if !f.several && len(f.tracker.Conns()) > soonAlone {
		f.tracker.Marks = 0
	}
}

// list lists connections, and where some lead through several pods, their hops.
func (f *Flows) list(w io.Writer, list flowFormat) error {
	err := list.write(w, slices.SortedStableFunc(slices.Values(f.all), f.order), f.names)
	if err != nil || !list.hops || !f.several {
		return err
	}
	p := f.pair()
	if len(p.chains) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return hopTable(w, p.hops())
}

// pair finds out which connections belong together.
func (f *Flows) pair() *pairing {
	p := newPairing(f.all, f.names)
	p.sort(f.order)
	f.ids = p.ids
	return p
}

// See takes the next packet, in time order.
func (f *Flows) See(s *flow.Sighting) { f.tracker.See(s) }

// Conns are the connections that are followed now, in the order of Sort.
func (f *Flows) Conns() []*flow.Conn {
	return slices.SortedStableFunc(slices.Values(f.tracker.Conns()), f.order)
}

// Print says that no packet follows, and lists all connections.
func (f *Flows) Print(out io.Writer) error {
	f.tracker.Finish()
	return f.write(out)
}

// flowOrders are the values of --sort: the earliest first, the most first.
var flowOrders = map[string]func(a, b *flow.Conn) int{
	"start": func(a, b *flow.Conn) int { return cmp.Compare(a.Start, b.Start) },
	"bytes": func(a, b *flow.Conn) int { return cmp.Compare(b.Up.Bytes+b.Down.Bytes, a.Up.Bytes+a.Down.Bytes) },
	"packets": func(a, b *flow.Conn) int {
		return cmp.Compare(b.Up.Packets+b.Down.Packets, a.Up.Packets+a.Down.Packets)
	},
	"duration": func(a, b *flow.Conn) int { return cmp.Compare(b.Duration(), a.Duration()) },
}

// exposed reports whether others can read what is said on a leg that Istio
// can encrypt.
func exposed(c *flow.Conn) bool {
	switch sight.Leg(c.Place) {
	case "inbound-wire", "outbound-wire", "self-wire", "hbone":
		return c.Speaks.Protocol.Clear()
	}
	return false
}

// security says what is spoken, in a few words.
func security(c *flow.Conn) string {
	said := plain.Text(c.Speaks.String())
	if exposed(c) {
		said += " (!)"
	}
	return said
}

// ending is how the connection ended.
func ending(c *flow.Conn) string {
	if c.Proto != flow.ProtoTCP {
		return "-"
	}
	return c.End.String()
}

// retransmitted is how many segments were sent again, up and down.
func retransmitted(c *flow.Conn) string {
	return fmt.Sprintf("%d/%d", c.Up.Retransmits, c.Down.Retransmits)
}

// protocolName is TCP or UDP.
func protocolName(c *flow.Conn) string {
	if c.Proto == flow.ProtoTCP {
		return "tcp"
	}
	return "udp"
}

// alpn is what the client offers.
func alpn(c *flow.Conn) string { return plain.Text(strings.Join(c.Speaks.ALPN, ",")) }
