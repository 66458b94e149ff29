package main

import (
	"bufio"
	"slices"
	"strings"

	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/text"
)

// textSink prints one line a packet.
type textSink struct {
	out     *bufio.Writer
	flags   *printFlags
	printer *text.Printer
	count   uint64
	labels  []string // of the interfaces, empty if there is but one
	line    []byte
	written []uint64
}

func newTextSink(s *session) *textSink {
	t := &textSink{
		out:     bufio.NewWriter(s.out),
		flags:   &s.flags.print,
		printer: s.flags.print.printer(),
		labels:  make([]string, len(s.interfaces)),
		written: make([]uint64, len(s.interfaces)),
	}
	if len(s.interfaces) > 1 {
		for i := range s.interfaces {
			// There is but one place, and it was told at the start.
			t.labels[i], _, _ = strings.Cut(s.interfaces[i].Name, "@")
		}
	}
	return t
}

func (t *textSink) Packet(p *capture.Packet) error {
	t.count++
	t.line = t.flags.appendNumber(t.line[:0], t.count)
	t.line = t.printer.Append(t.line, p.Timestamp(), t.labels[p.Interface], p.Data, p.Len)
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
