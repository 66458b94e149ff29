package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestLiveFlows looks at a small terminal while connections come.
func TestLiveFlows(t *testing.T) {
	const width, height = 60, 9
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	ours, theirs := terminal(t)
	if err := unix.IoctlSetWinsize(int(ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		t.Fatal(err)
	}
	cmd := icap(t, "flows", "netns:"+l.App.Netns)
	cmd.Stdout, cmd.Stderr = theirs, theirs
	cmd.Env = append(cmd.Environ(), "TERM=xterm")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	var screen strings.Builder
	// await reads until what is new on the screen has all of these.
	await := func(wanted ...string) (shown string) {
		t.Helper()
		begin := screen.Len()
		for buf := make([]byte, 4096); ; {
			shown = screen.String()[begin:]
			missing := false
			for _, w := range wanted {
				missing = missing || !strings.Contains(shown, w)
			}
			if !missing {
				return shown
			}
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatalf("no %q on the terminal: %v\n%q", wanted, err, screen.String())
			}
			screen.Write(buf[:n])
		}
	}
	await(listening)
	await("0 connections, 0 of TCP are open; by start\r\n")
	askAll(t, l)
	const table = "8 connections, 0 of TCP are open; by start; 2 are not shown\r\n"
	await(table, "Istio mTLS")
	await("\x1b[8A\x1b[J" + table) // up to the title, and the same again
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	last := await("\x1b[8A\x1b[JLEG ", "HTTP/1 plaintext (!)\r\n")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%q", err, last)
	}
	checkWidth(t, screen.String(), width)
}

// checkWidth sees that no line of the tables is wrapped by the terminal.
func checkWidth(t *testing.T, screen string, width int) {
	t.Helper()
	for _, frame := range strings.Split(screen, "\x1b[J") {
		_, table, _ := strings.Cut(frame, " connections, ") // what is above are messages
		for row := range strings.SplitSeq(strings.TrimSuffix(table, "\r\x1b[8A"), "\r\n") {
			if len(row) >= width {
				t.Errorf("%q is wider than %d", row, width)
			}
		}
	}
}

// TestFlowsWithoutTerminal draws nothing.
func TestFlowsWithoutTerminal(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	cmd := icap(t, "flows", "netns:"+l.App.Netns)
	var out strings.Builder
	cmd.Stdout = &out
	p := start(t, nil, listening, cmd)
	askAll(t, l)
	time.Sleep(drawEvery + drawEvery/2)
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if strings.ContainsRune(out.String()+p.text(), '\x1b') || strings.Count(out.String(), "\n") != 9 {
		t.Errorf("%q", out.String())
	}
}
