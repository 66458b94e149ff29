package report

import (
	"fmt"
	"io"
	"strings"

	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
)

// A Report is what a run has to show.
type Report struct {
	Command string // that makes it again
	Machine string
	Setup   []string // how load is made, where files go, and the like
	Peers   []peer.Peer
	Missing []string // what was not measured, and why
	Chart   string   // file name of the chart; empty without one
	// Partial is a run that was not meant to measure everything, so that
	// targets it says nothing about are left out.
	Partial bool
	*measure.Outcome
}

// Write writes Markdown that can be read as it is.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# icap bench\n\n")
	fmt.Fprintf(&b, "Command: `%s`, %d rounds\n\n", r.Command, r.Rounds)
	fmt.Fprintf(&b, "* %s\n", r.Machine)
	for _, line := range r.Setup {
		fmt.Fprintf(&b, "* %s\n", line)
	}
	b.WriteString("\nPrograms:\n\n")
	for i := range r.Peers {
		fmt.Fprintf(&b, "* %s: %s\n", r.Peers[i].Name, r.Peers[i].Describe())
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "* NOT MEASURED: %s\n", m)
	}
	if r.Chart != "" {
		fmt.Fprintf(&b, "\n![CPU time per packet, as a ratio to tcpdump's](%s)\n", r.Chart)
	}
	all := append([]section{{"What icap has to reach", targetTable(r.Outcome, r.Partial), ""}}, sections(r.Outcome, r.Peers)...)
	for _, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", s.heading)
		if s.note != "" {
			fmt.Fprintf(&b, "%s\n\n", s.note)
		}
		if err := s.table.write(&b); err != nil {
			return err
		}
	}
	r.end(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// end says how to read the figures, and what is wrong.
func (r *Report) end(b *strings.Builder) {
	fmt.Fprintf(b, `
Medians; ratios are paired by round: median (min-max). A ratio counts as
missed if its median is beyond the target by more than %.0f %%.
Waited is the longest that a program waited for its CPU, as a part of the time
that it ran: much more in one row than in the others means that the run was
disturbed.
`, 100*(tolerance-1))
	if len(r.Faults) == 0 {
		fmt.Fprintf(b, "\nEvery file of icap and of the bare loops holds what was sent, but for what was counted as dropped.\n")
	}
	b.WriteString("\n")
	for _, f := range r.Faults {
		fmt.Fprintf(b, "* FAULT: %s\n", f)
	}
	for _, f := range r.Odd {
		fmt.Fprintf(b, "* odd: %s\n", f)
	}
}
