package main

import (
	"strings"
	"testing"
)

// TestFlagValues gives each flag the values that the shell offers for it, and
// one that it does not.
func TestFlagValues(t *testing.T) {
	file := write(t, temp(t, "a.pcapng"), "eth0", 100, 1)
	for key, values := range flagValues {
		cmd, flag, ok := strings.Cut(key, " ")
		args := []string{cmd, "--" + flag}
		switch {
		case !ok:
			args = []string{"-d", "ip", "--" + key}
		case cmd == "flows" || cmd == "events":
			args = []string{cmd, "-r", file, "--" + flag}
		case cmd == "demo":
			continue // would make one
		}
		for _, value := range values {
			with := append(args[:len(args):len(args)], value)
			run := icap(t, with...)
			said, _ := run.CombinedOutput() // a privilege may be missing
			if run.ProcessState.ExitCode() == exitUsage {
				t.Errorf("icap %v: %s", with, said)
			}
		}
		run := icap(t, append(args, "nonsense")...)
		if _ = run.Run(); run.ProcessState.ExitCode() != exitUsage {
			t.Errorf("icap %v takes nonsense", args)
		}
	}
}
