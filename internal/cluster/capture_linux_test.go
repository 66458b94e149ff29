package cluster

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A capture is kubectl icap while it runs.
type capture struct {
	*exec.Cmd
	t    *testing.T
	file string

	printed bytes.Buffer // to be read when it has ended
	mu      sync.Mutex
	said    bytes.Buffer
}

// Write takes what it says on its standard error.
func (c *capture) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.Write(b)
}

func (c *capture) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// listening is what a node says of a pod, behind its own name.
const listening = ": listening on eth0@"

// A launch is a way to run a command: on which machine.
type launch func(context.Context, string, ...string) *exec.Cmd

// icap starts kubectl icap with the image of the test and a file, and waits until
// it captures in all its pods.
func icap(t *testing.T, pods []string, args ...string) *capture {
	t.Helper()
	return icapOn(t, shop.Command, pods, args...)
}

// icapOn does so on some machine.
func icapOn(t *testing.T, run launch, pods []string, args ...string) *capture {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.pcapng")
	c := show(t, run, pods, slices.Concat(args[:1], []string{"-w", file}, args[1:])...)
	c.file = file
	return c
}

// show starts kubectl icap without a file: what it prints is kept.
func show(t *testing.T, run launch, pods []string, args ...string) *capture {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	t.Cleanup(cancel)
	c := &capture{t: t}
	args = slices.Concat([]string{"icap", args[0], "--image", Image}, args[1:])
	c.Cmd = run(ctx, "kubectl", args...)
	c.Stdout, c.Stderr = &c.printed, c
	say(t, "$ kubectl %s", strings.Join(args, " "))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		c.await(listening + pod)
	}
	return c
}

// await waits until it has said something.
func (c *capture) await(what string) {
	c.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(c.text(), what); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("in %v kubectl icap does not say %q:\n%s", patience, what, c.text())
		}
	}
}

// end ends it by a signal, as a terminal's ^C does, and shows what it said.
func (c *capture) end() {
	c.t.Helper()
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		c.t.Fatal(err)
	}
	err := c.Wait()
	say(c.t, "%s", c.text())
	if err != nil {
		c.t.Errorf("kubectl icap: %v", err)
	}
}

// nothingLeft waits until the cluster has nothing of kubectl icap any more, and
// its nodes no process.
func nothingLeft(t *testing.T) {
	t.Helper()
	const within = 4 * patience // a silent client is waited for, then the seat, then the Job
	begin := time.Now()
	var left string
	for end := begin.Add(within); ; time.Sleep(500 * time.Millisecond) {
		left = kubectl(t, "get", "jobs,pods", "-A", "-l", "app.kubernetes.io/managed-by=kubectl-icap", "-o", "name")
		for _, n := range shop.Nodes {
			left += strings.Join(processes(t, n, ""), "\n")
		}
		if left == "" {
			say(t, "nothing is left %v later", time.Since(begin).Round(100*time.Millisecond))
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left after %v:\n%s", within, left)
		}
	}
}

// places are the legs with a word in them, as LEG@APP, of a file whose pods are
// those of deployments.
func places(t *testing.T, file, filter string) []string {
	t.Helper()
	var all []string
	for _, name := range tshark(t, file, "-Y", filter, "-T", "fields", "-e", "frame.interface_name") {
		_, leg, _ := strings.Cut(name, ":")
		leg, pod, _ := strings.Cut(leg, "@")
		app, _, _ := strings.Cut(pod, "-")
		if place := leg + "@" + app; !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	slices.Sort(all)
	return all
}

// inOrder checks that no packet is older than the one before it.
func inOrder(t *testing.T, file string) {
	t.Helper()
	out, err := exec.Command("capinfos", "-o", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Strict time order:   True") {
		t.Errorf("capinfos -o: %v\n%s", err, out)
	}
}
