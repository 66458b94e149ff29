package proc

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

func startShell(t *testing.T, ns *nsswitch.NS, cpu int, script string, env ...string) *Process {
	t.Helper()
	p, err := Start(ns, cpu, []string{"sh", "-c", script}, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestProcessIsPinnedAndMeasured(t *testing.T) {
	ns := labtest.Namespace(t)
	cpus, err := ChooseCPUs()
	if err != nil {
		t.Fatal(err)
	}
	// Some work, and then naps: a shell notices a signal between them.
	const script = `trap 'exit 0' TERM
grep Cpus_allowed_list /proc/self/status
echo "word is $WORD"
i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done
while :; do sleep 0.2; done`
	p := startShell(t, ns, cpus.Capture, script, "WORD=yes")
	if err := p.AwaitRest(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	used, err := p.Clock()
	if err != nil || used <= 0 {
		t.Errorf("used %s, %v", used, err)
	}
	if memory, err := p.PeakMemory(); err != nil || memory <= 0 {
		t.Errorf("memory %d, %v", memory, err)
	}
	all, err := p.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if all < used/2 {
		t.Errorf("used %s in all, after %s", all, used)
	}
	for _, want := range []string{fmt.Sprintf("Cpus_allowed_list:\t%d\n", cpus.Capture), "word is yes"} {
		if !strings.Contains(p.Output(), want) {
			t.Errorf("%q is not in %q", want, p.Output())
		}
	}
}

func TestProgramThatEndsIsNotReady(t *testing.T) {
	ns := labtest.Namespace(t)
	cpus, err := ChooseCPUs()
	if err != nil {
		t.Fatal(err)
	}
	p := startShell(t, ns, cpus.Capture, "echo no permission; exit 3")
	err = p.AwaitReady(t.Context(), 0, 1)
	if err == nil {
		t.Fatal("ready")
	}
	if err := p.Explain(err); !strings.Contains(err.Error(), "no permission") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(ns, cpus.Capture, []string{"/no/such/program"}); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	ns := labtest.Namespace(t)
	cpus, err := ChooseCPUs()
	if err != nil {
		t.Fatal(err)
	}
	p := startShell(t, ns, cpus.Capture, "exec sleep 100")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.AwaitReady(ctx, 0, 1); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if err := p.AwaitRest(ctx, time.Second); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
