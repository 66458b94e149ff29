package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagValues are those of flags that have but a few, by command and flag, or by
// flag alone.
var flagValues = map[string][]string{
	"direction":            {"in", "out", "inout"},
	"write":                writings,
	"packet-flags":         {"auto", "on", "off"},
	"color":                {"auto", "always", "never"},
	"fanout-mode":          {"hash", "lb", "cpu", "rollover", "qm"},
	"time-stamp-type":      {"host"},
	"time-stamp-precision": {"micro", "nano"},
	"ls output":            {"table", "wide", "json"},
	"doctor output":        {"text", "json"},
	"flows format":         {"table", "wide", "json", "csv"},
	"flows sort":           {"start", "bytes", "packets", "duration"},
	"events format":        {"text", "json", "mermaid", "svg", "html"},
	"events only":          {"syn", "syn-ack", "fin", "rst", "timeout", "retransmit", "zero-window"},
	"demo rules":           {"today", "article", "dualstack"},
}

// completeValues offers the values of flags that have but a few, for the
// command and all below it.
func completeValues(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		values := valuesOf(cmd.Name(), f)
		if values == nil {
			return
		}
		offer(cmd, f.Name, func() []string { return values })
	})
	for _, sub := range cmd.Commands() {
		completeValues(sub)
	}
}

// valuesOf are the values of a flag of a command, nil if it takes others.
func valuesOf(cmd string, f *pflag.Flag) []string {
	if own := flagValues[cmd+" "+f.Name]; own != nil {
		return own
	}
	return flagValues[f.Name]
}
