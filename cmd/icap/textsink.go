package main

import (
	"bufio"
	"slices"
	"strings"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/text"
	"icap/pcapwriter"
)

// textSink prints one line a packet.
type textSink struct {
	session *session
	out     *bufio.Writer
	flags   *printFlags
	printer *text.Printer
	count   uint64
	labels  [][]string // of the interfaces, by a packet's type; empty if there is but one
	line    []byte
	written []uint64
}

func newTextSink(s *session) *textSink {
	t := &textSink{
		session: s,
		out:     bufio.NewWriter(s.out),
		flags:   &s.flags.print,
		count:   s.flags.skip,
		printer: s.flags.print.printer(s.out),
	}
	if t.flags.names {
		t.name(s.header().Names)
	}
	t.label()
	return t
}

// label gives all interfaces of the session their labels.
func (t *textSink) label() {
	s := t.session
	t.written = append(t.written, make([]uint64, len(s.interfaces)-len(t.written))...)
	t.labels = make([][]string, len(s.interfaces))
	for i := range s.interfaces {
		name := ""
		if len(s.interfaces) > 1 || s.newcomers != nil {
			name = s.label(i)
		}
		for typ := range afpacket.FromHost + 1 {
			label := name
			if s.newcomers != nil {
				label = string(text.AppendWay([]byte(name), len(name), uint8(typ)))
			}
			t.labels[i] = append(t.labels[i], label)
		}
	}
}

// name has addresses shown by their names.
func (t *textSink) name(names []pcapwriter.Name) {
	for _, n := range names {
		if len(n.Names) > 0 {
			t.printer.Name(n.Addr, n.Names[0])
		}
	}
}

// Grow adds to the labels, and to the names if they are shown.
func (t *textSink) Grow(_ []pcapwriter.Interface, _ []int, names []pcapwriter.Name) error {
	if t.flags.names {
		t.name(names)
	}
	t.label()
	return nil
}

// label is the name of an interface of the file in front of a line. Where there
// is but one place, it was told at the start.
func (s *session) label(i int) string {
	name := s.interfaces[i].Name
	if !slices.ContainsFunc(s.sources, func(src *source) bool { return src.place.title != s.sources[0].place.title }) {
		name, _, _ = strings.Cut(name, "@")
	}
	return name
}

func (t *textSink) Packet(p *capture.Packet) error {
	t.count++
	t.line = t.flags.appendNumber(t.line[:0], t.count)
	t.line = t.printer.Append(t.line, p.Timestamp(), t.labels[p.Interface][min(p.Type, afpacket.FromHost)], p.Data, p.Len)
	t.line = append(t.printer.AppendDump(t.line, flow.LinkEthernet, p.Data), '\n')
	_, err := t.out.Write(t.line)
	t.written[p.Interface]++
	return err
}

func (t *textSink) Flush() error { return t.out.Flush() }

// Written counts the lines; their bytes are nobody's concern.
func (t *textSink) Written() (packets []uint64, bytes uint64) {
	return slices.Clone(t.written), 0
}

func (t *textSink) Close(*capture.Result) ([]uint64, error) {
	return t.written, t.out.Flush()
}

// Discard has nothing to take back: nothing was printed.
func (t *textSink) Discard() error { return nil }

// Cut has no file to end.
func (t *textSink) Cut() {}
