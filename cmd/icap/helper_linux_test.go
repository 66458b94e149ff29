package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestHelperEnds: when somebody ends the helper, that is said, what is captured
// goes on, and the exit code tells.
func TestHelperEnds(t *testing.T) {
	n := newNamed(t)
	p := start(t, nil, listening+" eth0", icap(t, "pod", "netns:"+n.name, "--follow", "-w", temp(t, "out.pcapng"), "--", "udp port 9"))
	n.send(10)
	helpers := helpersOf(t, p.Process.Pid)
	if len(helpers) != 1 {
		t.Fatalf("helpers %v", helpers)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGKILL} {
		if err := syscall.Kill(helpers[0], sig); err != nil {
			t.Fatalf("%v: %v", sig, err)
		}
	}
	p.says("what is captured now goes on", 1)
	n.send(10)
	if code := p.end(syscall.SIGTERM); code != exitFault || !strings.Contains(p.text(), "\n20 packets captured\n20 packets received") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
}

// TestHelperEndsWithCapture leaves no process behind, also when the capture is
// killed.
func TestHelperEndsWithCapture(t *testing.T) {
	n := newNamed(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		p := start(t, nil, listening+" eth0", icap(t, "pod", "netns:"+n.name, "--follow", "-w", temp(t, "out.pcapng")))
		helpers := helpersOf(t, p.Process.Pid)
		if len(helpers) != 1 {
			t.Fatalf("helpers %v", helpers)
		}
		_ = p.Process.Signal(sig)
		_ = p.Wait() // which it was ended by
		await(t, "the end of the helper", func() bool { return syscall.Kill(helpers[0], 0) == syscall.ESRCH })
	}
}

// TestHelperByHand is refused.
func TestHelperByHand(t *testing.T) {
	if code, text := said(t, helperName); code != exitUsage || !strings.Contains(text, "starts by itself") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}
