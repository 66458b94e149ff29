package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/internal/lab/labtest"
)

// TestHostileInterface has every command that tells of an interface tell of one
// with a name that would talk to a terminal.
func TestHostileInterface(t *testing.T) {
	const name = "v\x1b[1m\xff\u202e"
	w := newWire(t)
	rename := func(l netlink.Link) error { return netlink.LinkSetName(l, name) }
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	labtest.WithLink(t, w.b, "vb", rename)
	labtest.WithLink(t, w.b, name, netlink.LinkSetUp)
	judge := func(line, text string) {
		t.Helper()
		if i := unprintable(text); i >= 0 {
			t.Errorf("icap %q prints, at %d, %q", line, i, text[max(0, i-40):min(len(text), i+40)])
		}
	}
	for _, line := range []string{
		"-D", "-L -i NAME", "-J -i NAME", "-L -i none", "pod TARGET --print-filters", "gateway TARGET -i NAME --pod-cidr 10.0.0.0/8 --print-filters",
		"gateway TARGET --pod-cidr 10.0.0.0/8 --print-filters", "ls -o wide", "ls -o json", "ls", "doctor TARGET", "doctor TARGET -o json", "extcap --extcap-interfaces",
	} {
		var args []string
		if strings.HasPrefix(line, "-") {
			args = []string{"--netns", w.b.String()}
		}
		for arg := range strings.FieldsSeq(line) {
			arg = strings.ReplaceAll(arg, "TARGET", "netns:"+w.b.String())
			args = append(args, strings.ReplaceAll(arg, "NAME", name))
		}
		out, _ := icap(t, args...).CombinedOutput() // some cannot succeed
		judge(line, string(out))
		if said := `v\x1b[1m`; len(out) == 0 || strings.HasPrefix(line, "-D") && !strings.Contains(string(out), said) {
			t.Errorf("icap %s prints %q", line, out)
		}
	}
	// What a terminal shows of a capture, and its text.
	ours, theirs := terminal(t)
	cmd := icap(t, "--netns", w.b.String(), "-i", name, "-i", "lo", "-w", temp(t, "x.pcapng"), "--print", "--live", "--stats-interval", "100ms")
	var lines strings.Builder
	cmd.Stdout, cmd.Stderr = &lines, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	var shown strings.Builder
	await := func(want string) {
		t.Helper()
		for buf := make([]byte, 4096); !strings.Contains(shown.String(), want); {
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatalf("no %q on the terminal: %v\n%q", want, err, shown.String())
			}
			shown.Write(buf[:n])
		}
	}
	await(listening)
	w.send(t, 25, 100)
	await(" packets, ")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await("packets dropped by kernel")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	// A terminal gets returns, and icap's own order to clear the line.
	judge("on a terminal", strings.NewReplacer(clearLine, "", "\r\n", "\n").Replace(shown.String()))
	judge("--print", lines.String())
	if !strings.Contains(lines.String(), `v\x1b[1m`) {
		t.Errorf("lines do not have the name:\n%.300s", lines.String())
	}
}
