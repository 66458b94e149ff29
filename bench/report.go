package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// A report is what a run has to show.
type report struct {
	target  string // what the files are on
	machine string
	cpus    cpus
	rounds  int
	peers   []peer
	missing []string
	series  []series
	faults  []string
}

// write writes Markdown.
func (r *report) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# icap bench\n\n")
	fmt.Fprintf(&b, "Command: `bench %s`\n\n", strings.Join(os.Args[1:], " "))
	fmt.Fprintf(&b, "Machine: %s.\nThe %s; files on %s; %d rounds.\n\n", r.machine, r.cpus, r.target, r.rounds)
	for i := range r.peers {
		fmt.Fprintf(&b, "* %s: %s\n", r.peers[i].name, r.peers[i].describe())
	}
	for _, m := range r.missing {
		fmt.Fprintf(&b, "* NOT MEASURED: %s\n", m)
	}
	for i := range r.series {
		fmt.Fprintf(&b, "\n## %s\n\n", r.series[i].load)
		if err := tableOf(&r.series[i], r.peers).write(&b); err != nil {
			return err
		}
	}
	fmt.Fprintf(&b, "\nMedians; ratios are of CPU ns/packet, paired by round: median (min-max).\n"+
		"Waited is the longest that a program waited for its CPU, as a part of the time that it ran:\n"+
		"much more in one row than in the others means that the run was disturbed.\n")
	if len(r.faults) == 0 {
		fmt.Fprintf(&b, "Every file holds what was sent, but for what was counted as dropped.\n")
	}
	for _, f := range r.faults {
		fmt.Fprintf(&b, "* FAULT: %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
