package main

import (
	"strings"
	"testing"
)

// TestNameOfTcpdump captures without subcommands, and overwrites.
func TestNameOfTcpdump(t *testing.T) {
	cmd := newCommand("tcpdump")
	if cmd.HasSubCommands() {
		t.Error("there are subcommands")
	}
	if force := cmd.Flags().Lookup("force"); force.DefValue != "true" {
		t.Error("files are not overwritten")
	}
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"-ddd", "icmp"})
	if err := cmd.Execute(); err != nil || !strings.HasPrefix(out.String(), "6\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if !newCommand("icap").HasSubCommands() {
		t.Error("icap has no subcommands")
	}
}
