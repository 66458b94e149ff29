package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"icap/internal/lab/labtest"
)

// TestManPages renders the page of every command, and looks for its flags.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	output(t, "icap", "man", dir)
	groff, err := exec.LookPath("groff")
	if err != nil {
		labtest.Skip(t, "needs groff")
	}
	root := newRoot()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	commands := documented(root)
	for _, c := range commands {
		path := filepath.Join(dir, pageName(c)+".1")
		// -ww has all that is not well formed said.
		cmd := exec.Command(groff, "-man", "-Tascii", "-ww", "-rLL=200n", "-P-cbou", path)
		var said strings.Builder
		cmd.Stderr = &said
		page, err := cmd.Output()
		if err != nil || said.Len() > 0 {
			t.Errorf("%s: %v\n%s", path, err, said.String())
		}
		text := string(page)
		wants := []string{"SYNOPSIS", "EXIT STATUS", c.Short}
		if own := !strings.HasPrefix(pageName(c), "icap-completion"); own {
			wants = append(wants, "EXAMPLES")
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(text, "--"+f.Name) {
				t.Errorf("%s has no --%s", path, f.Name)
			}
		})
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && !strings.Contains(text, pageName(sub)+"(1)") {
				t.Errorf("%s does not name %s", path, pageName(sub))
			}
		}
	}
	pages, err := os.ReadDir(dir)
	if err != nil || len(pages) != len(commands) || len(pages) < 15 {
		t.Errorf("%d pages of %d commands, %v", len(pages), len(commands), err)
	}
}
