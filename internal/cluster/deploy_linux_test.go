package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stream is a client that gets a capture through kubectl exec -i.
type stream struct {
	*exec.Cmd
	t      *testing.T
	file   string
	stdin  *os.File // its end ends the capture
	cancel context.CancelFunc

	mu   sync.Mutex
	said bytes.Buffer
}

// Write takes what the other end says on its standard error.
func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// startStream starts kubectl exec -i with icap and waits until it captures.
func startStream(t *testing.T, pod string, args ...string) *stream {
	t.Helper()
	return startStreamOn(t, shop.Command, pod, args...)
}

// startStreamOn does so on some machine.
func startStreamOn(t *testing.T, command func(context.Context, string, ...string) *exec.Cmd, pod string, args ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	s := &stream{t: t, file: filepath.Join(t.TempDir(), "stream.pcapng"), cancel: cancel}
	t.Cleanup(cancel)
	s.Cmd = command(ctx, "kubectl", append([]string{"exec", "-i", "-n", "icap", pod, "--", "/icap"}, args...)...)
	out, err := os.Create(s.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin, s.Stdout, s.Stderr, s.stdin = in, out, s, hold
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { hold.Close() })
	await(t, "captured: "+strings.Join(args, " "), func() bool { return strings.Contains(s.text(), "listening on") })
	return s
}

// end lets the capture end by the end of its standard input.
func (s *stream) end() {
	s.t.Helper()
	s.stdin.Close()
	if err := s.Wait(); err != nil {
		s.t.Errorf("kubectl exec: %v\n%s", err, s.text())
	}
}

// processes are the command lines of icap in a node that have a word in them.
func processes(t *testing.T, n Machine, word string) []string {
	t.Helper()
	out, err := n.Inside(bounded(t), "sh", "-c", `for p in /proc/[0-9]*/cmdline; do tr '\0' ' ' <"$p" 2>/dev/null; echo; done; true`).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "/icap ") && strings.Contains(line, word) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// legs are the legs in a file on which a page was asked for.
func legs(t *testing.T, file, page string) []string {
	t.Helper()
	var all []string
	for _, name := range tshark(t, file, "-Y", fmt.Sprintf("http.request.uri contains %q", page), "-T", "fields", "-e", "frame.interface_name") {
		_, leg, _ := strings.Cut(name, ":")
		leg, _, _ = strings.Cut(leg, "@")
		if !slices.Contains(all, leg) {
			all = append(all, leg)
		}
	}
	slices.Sort(all)
	return all
}

// TestNodeManifest applies node.yaml as documented and does there what its
// comments say.
func TestNodeManifest(t *testing.T) {
	apply(t, deployed(t, "node.yaml", "NODE", "node-1"))
	kubectl(t, "wait", "pod", "-n", "icap", "icap", "--for=condition=Ready", "--timeout=25s")
	web, _ := podOf(t, "app=web")
	t.Run("ls", func(t *testing.T) {
		out := kubectl(t, "exec", "-n", "icap", "icap", "--", "/icap", "ls")
		say(t, "$ kubectl exec -n icap icap -- /icap ls\n%s", out)
		if !strings.Contains(out, web) || !strings.Contains(out, "sidecar") || !strings.Contains(out, "REDIRECT") {
			t.Errorf("no sidecar %s", web)
		}
	})
	t.Run("doctor", func(t *testing.T) {
		out, err := try(t, "kubectl", "exec", "-n", "icap", "icap", "--", "/icap", "doctor", "shop/"+web)
		say(t, "$ kubectl exec -n icap icap -- /icap doctor shop/%s\n%s", web, out)
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("stream", func(t *testing.T) {
		s := startStream(t, "icap", "pod", "shop/"+web, "-w", "-", "--duration", "1m", "--until-stdin-eof")
		call(t, ServiceAPI, "/streamed")
		time.Sleep(300 * time.Millisecond) // the rings retire, and the stream is on its way
		s.end()
		say(t, "%s", s.text())
		if got, want := legs(t, s.file, "streamed"), []string{"inbound-app", "inbound-wire", "outbound-app"}; !slices.Equal(got, want) {
			t.Errorf("the page is on %q, want %q", got, want)
		}
		check(t, s.file)
	})
	t.Run("killed", func(t *testing.T) { testKilled(t, "shop/"+web) })
	t.Run("cut off", func(t *testing.T) { testCutOff(t, "shop/"+web) })
}

// check lets icap judge whether a file is complete.
func check(t *testing.T, file string) {
	t.Helper()
	if out, err := try(t, "icap-dev", "check", file); err != nil {
		t.Errorf("icap check: %v\n%s", err, out)
	} else {
		say(t, "$ icap check %s\n%s", filepath.Base(file), out)
	}
}

// testKilled kills the client of a stream, which must end the capture.
func testKilled(t *testing.T, target string) {
	s := startStream(t, "icap", "pod", target, "-w", "-", "--duration", "10m", "--until-stdin-eof")
	if got := processes(t, shop.Nodes[0], "--until-stdin-eof"); len(got) != 1 {
		t.Errorf("while it runs: %q, want one", got)
	}
	if err := s.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	await(t, "gone", func() bool { return len(processes(t, shop.Nodes[0], "--until-stdin-eof")) == 0 })
	say(t, "client killed with SIGKILL: icap in the pod has ended after %v", time.Since(begin).Round(10*time.Millisecond))
}

// testCutOff takes the network of a client away, which tells nobody. The capture
// ends because nothing comes from the client any more.
func testCutOff(t *testing.T, target string) {
	client := startClient(t)
	s := startStreamOn(t, client.Command, "icap", "pod", target, "-w", "-", "--duration", "10m", "--until-stdin-silent", "5s")
	for range 8 {
		if _, err := s.stdin.WriteString("\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	if got := processes(t, shop.Nodes[0], "--until-stdin-silent"); len(got) != 1 {
		t.Fatalf("with a client: %q, want one\n%s", got, s.text())
	}
	if err := client.Cut(bounded(t)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	await(t, "gone", func() bool { return len(processes(t, shop.Nodes[0], "--until-stdin-silent")) == 0 })
	say(t, "client cut off: icap in the pod has ended after %v", time.Since(begin).Round(10*time.Millisecond))
}

// startClient starts the machine of a client for the time of a test.
func startClient(t *testing.T) *Client {
	t.Helper()
	client, err := shop.StartClient(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Stop(); err != nil {
			t.Error(err)
		}
	})
	return client
}
