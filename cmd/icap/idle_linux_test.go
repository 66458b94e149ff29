package main

import (
	"context"
	"testing"
	"time"
)

// TestAwaitIdle ends neither too early nor because of processes of other
// containers: those have other cgroups.
func TestAwaitIdle(t *testing.T) {
	if accompanied([]byte("0::/of-no-process\n")) {
		t.Error("somebody is in a cgroup that nobody is in")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := awaitIdle(ctx, time.Hour); err != nil {
		t.Error(err)
	}
	for _, idle := range []string{"-1s", "soon"} {
		cmd := icap(t, "wait", "--idle", idle)
		out, _ := cmd.CombinedOutput() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != exitUsage {
			t.Errorf("--idle %s: exit code %d, want %d\n%s", idle, code, exitUsage, out)
		}
	}
}
