package main

import (
	"strings"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestPodNames prints a pod by its name, and its address without --names. The
// label of the leg has no colour where nobody sees it.
func TestPodNames(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	name := " netns-" + l.App.Netns + "."
	for _, names := range []bool{true, false} {
		args := []string{"pod", "netns:" + l.App.Netns, "--wire", "-nt", "-c", "4"}
		if names {
			args = append(args, "--names")
		}
		cmd := icap(t, args...)
		var out strings.Builder
		cmd.Stdout = &out
		p := start(t, nil, "eth0@", cmd)
		askAll(t, l)
		if code := p.end(0); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		text := out.String()
		if strings.Contains(text, name) != names || strings.Contains(text, l.App.Addr.String()) == names || strings.Contains(text, "\x1b") {
			t.Errorf("icap %s\n%s", strings.Join(args, " "), text)
		}
	}
}
