package main

import (
	"fmt"
	"io"
	"strings"

	"icap/bpfc"
	"icap/istiofilter"
)

// printFilters says what would be attached where: in words, as text, and as a
// program.
func (s *session) printFilters(w io.Writer) error {
	for _, src := range s.sources {
		if err := src.printFilter(w); err != nil {
			return outputError{err}
		}
	}
	return nil
}

func (s *source) printFilter(w io.Writer) error {
	fmt.Fprintf(w, "%s\n", printable(s.at()))
	for leg := range s.legs.All() {
		fmt.Fprintf(w, "  leg %s: %s\n", leg, leg.Meaning())
	}
	fmt.Fprintf(w, "  which the filter tells: %s\n", s.precision())
	for _, o := range s.origins {
		if o.is != istiofilter.OriginUnknown {
			fmt.Fprintf(w, "  on a socket of its own: packets with %s\n", o)
		}
	}
	text, explained := "everything", "every packet\n"
	if s.expr != "" {
		var err error
		if explained, err = bpfc.Explain(s.expr); err != nil {
			return err
		}
		text = s.expr
	}
	fmt.Fprintf(w, "  filter: %s\n  in words:\n%s", printable(text), indent(explained))
	_, err := fmt.Fprintf(w, "  program:\n%s", indent(s.filter.Dump()))
	return err
}

// precision says what the filter leaves to the classifier.
func (s *source) precision() string {
	switch {
	case s.exact && s.expr == "":
		return "all legs of the interface are wanted; each packet is put on its leg by addresses, ports, and who opened its connection"
	case s.exact:
		return "exactly, by addresses and ports"
	default:
		return "not exactly; it takes the least that has them all, and who opened a connection tells the rest"
	}
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}
