package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/internal/lab/labtest"
)

// completions are lines that end where the key for completion is pressed, and
// what a shell is to offer or to write. NS is a namespace with an interface vb.
var completions = []struct{ line, want string }{
	{"icap doct", "doctor"},
	{"icap pod --sti", "--stitch"},
	{"icap pod netns:NS", "netns:NS"},
	{"icap pod netns:NS -i v", "vb"},
	{"icap --netns NS -i v", "vb"},
	{"icap --netns NS", "NS"},
	{"icap pod --leg inbound-app,outbound-w", "inbound-app,outbound-wire"},
	{"icap events --only ret", "retransmit"},
	{"icap doctor -o js", "json"},
}

// TestFishCompletes asks a real fish what it would offer.
func TestFishCompletes(t *testing.T) {
	if _, err := exec.LookPath("fish"); err != nil {
		labtest.Skip(t, "needs fish")
	}
	w := newWire(t)
	ns := w.b.String()
	for _, c := range completions {
		line := strings.ReplaceAll(c.line, "NS", ns[:len(ns)-1])
		if strings.Contains(c.line, "NS ") {
			line = strings.ReplaceAll(c.line, "NS", ns)
		}
		offered := output(t, "fish", "-N", "-c", "icap completion fish | source; complete -C '"+line+"'")
		found := false
		for offer := range strings.Lines(offered) {
			name, _, _ := strings.Cut(strings.TrimSuffix(offer, "\n"), "\t")
			found = found || name == strings.ReplaceAll(c.want, "NS", ns)
		}
		if !found {
			t.Errorf("%q: offered %q", line, offered)
		}
	}
}

// TestZshCompletes presses the key at a real zsh.
func TestZshCompletes(t *testing.T) {
	if _, err := exec.LookPath("zsh"); err != nil {
		labtest.Skip(t, "needs zsh")
	}
	w := newWire(t)
	ns := w.b.String()
	ours, theirs := terminal(t)
	cmd := exec.Command("zsh", "-f", "-i")
	cmd.Env = append(os.Environ(), "TERM=dumb", "COLUMNS=200")
	cmd.Dir = t.TempDir()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	press := func(keys, want string) {
		t.Helper()
		if _, err := ours.WriteString(keys); err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		for buf := make([]byte, 4096); !strings.Contains(shown.String(), want); {
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatalf("%q: no %q: %v\n%q", keys, want, err, shown.String())
			}
			shown.Write(buf[:n])
		}
	}
	// The line that is typed does not have the word that it prints.
	press("unsetopt zle prompt_sp; PS1=; autoload -U compinit && compinit -u -D && source <(icap completion zsh); setopt zle; echo re''ady\n", "ready")
	const clear = "\x15"
	for _, c := range completions {
		line := strings.ReplaceAll(c.line, "NS", ns[:len(ns)-1])
		if strings.Contains(c.line, "NS ") {
			line = strings.ReplaceAll(c.line, "NS", ns)
		}
		press(clear+line+"\t", strings.ReplaceAll(c.want, "NS", ns))
	}
	press(clear+"exit\n", "exit")
	_ = cmd.Wait() // what it has shown tells
}

// TestNoHostileCompletion: a name that would talk to the terminal is not
// offered, because a shell would write it there.
func TestNoHostileCompletion(t *testing.T) {
	w := newWire(t)
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	labtest.WithLink(t, w.b, "vb", func(l netlink.Link) error { return netlink.LinkSetName(l, "v\x1b[2J\xff") })
	out, err := icap(t, "__complete", "--netns", w.b.String(), "-i", "").CombinedOutput()
	if err != nil || unprintable(string(out)) >= 0 || !strings.Contains(string(out), "lo\n") {
		t.Errorf("%v\n%q", err, out)
	}
}
