package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"icap/internal/lab/labtest"
)

// TestJoinStdin names a namespace before there is one. It joins when it comes,
// the end of another is not the end, and that of standard input is.
func TestJoinStdin(t *testing.T) {
	first := newNamed(t)
	second := &named{t: t, name: fmt.Sprintf("icap-join-%d", os.Getpid()), peer: labtest.Namespace(t), link: "peer", net: 1}
	file := temp(t, "join.pcapng")
	cmd := icap(t, "pod", "--target", "netns:"+first.name, "--as", "first.shop", "--join-stdin", "-w", file, "udp port 9")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, listening+" eth0", cmd)
	for _, line := range []string{"neither/nor/this", "", "label:app=web", "netns:" + second.name} {
		if _, err := io.WriteString(in, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	p.says("labels stand for targets", 1)
	first.send(3)
	second.make()
	t.Cleanup(second.remove)
	p.says(listening+" eth0", 2)
	first.remove()
	p.says("first.shop is gone\n", 1)
	second.send(4)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.end(0); code != exitDone || !strings.Contains(p.text(), `--join-stdin: target "neither/nor/this"`) {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	first.make() // which is removed at the end
	got := readPcapng(t, file)
	if a, b := got.interfaces["eth0:direct@first.shop"], got.interfaces["eth0:direct@netns:"+second.name]; len(a) != 3 || len(b) != 4 {
		t.Errorf("%d and %d packets, want 3 and 4\n%s", len(a), len(b), p.text())
	}
}

func TestJoinStdinRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"two ways": {"pod", "self", "--join-stdin", "--follow"},
		"no pod":   {"pod", "--join-stdin"},
	} {
		cmd := icap(t, args...)
		out, _ := cmd.CombinedOutput() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != exitUsage {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
		}
	}
}
