package cluster

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRestart deletes a pod while it is captured. Its successor joins.
func TestRestart(t *testing.T) {
	rights(t)
	web, _ := podOf(t, "app=web")
	api, _ := podOf(t, "app=api")
	c := icap(t, []string{web, api}, "pod", "-n", "shop", "--follow", "deploy/web", "deploy/api", "--")
	call(t, ServiceAPI, "/before")
	replace(t, "api")
	next, _ := podOf(t, "app=api")
	c.await(listening + next)
	call(t, ServiceAPI, "/after")
	c.end()
	for _, page := range []string{"before", "after"} {
		got := places(t, c.file, fmt.Sprintf("http.request.uri contains %q", page))
		say(t, "/%s is on %s", page, strings.Join(got, ", "))
		if !slices.Contains(got, "inbound-app@api") || !slices.Contains(got, "outbound-app@web") {
			t.Errorf("/%s is on %q", page, got)
		}
	}
	inOrder(t, c.file)
	check(t, c.file)
	nothingLeft(t)
}

// TestAPIServerRestart kills the API server while a capture runs through it. When
// it is back, the streams are taken up again.
func TestAPIServerRestart(t *testing.T) {
	rights(t)
	web, _ := podOf(t, "app=web")
	api, _ := podOf(t, "app=api")
	c := icap(t, []string{web, api}, "pod", "-n", "shop", "-l", "tier=shop")
	call(t, ServiceAPI, "/before")
	time.Sleep(time.Second) // it is on its way to the file
	if err := shop.Control.Crash(bounded(t), "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	if err := shop.until(bounded(t), "get", "--raw", "/readyz"); err != nil {
		t.Fatal(err)
	}
	await(t, "captured again", func() bool {
		return strings.Count(c.text(), listening+web) == 2 && strings.Count(c.text(), listening+api) == 2
	})
	call(t, ServiceAPI, "/after")
	c.end()
	for _, page := range []string{"before", "after"} {
		if got := places(t, c.file, fmt.Sprintf("http.request.uri contains %q", page)); !slices.Contains(got, "inbound-app@api") {
			t.Errorf("/%s is on %q", page, got)
		}
	}
	nothingLeft(t)
}

// TestClientKilled kills the client in both ways. Nothing is left, with nobody's
// help.
func TestClientKilled(t *testing.T) {
	rights(t)
	web, _ := podOf(t, "app=web")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			c := icap(t, []string{web}, "pod", "-n", "shop", "deploy/web")
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait() // it was killed
			nothingLeft(t)
		})
	}
}

// TestLostNetwork cuts the client's machine off, which tells nobody.
func TestLostNetwork(t *testing.T) {
	rights(t)
	web, _ := podOf(t, "app=web")
	client := startClient(t)
	icapOn(t, client.Command, []string{web}, "pod", "-n", "shop", "deploy/web")
	if err := client.Cut(bounded(t)); err != nil {
		t.Fatal(err)
	}
	say(t, "the link of the client is down")
	nothingLeft(t)
}

// TestCleanup removes at once what a killed client has left.
func TestCleanup(t *testing.T) {
	rights(t)
	web, _ := podOf(t, "app=web")
	c := icap(t, []string{web}, "pod", "-n", "shop", "deploy/web")
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	out, err := try(t, "kubectl", "icap", "cleanup")
	say(t, "$ kubectl icap cleanup\n%s", out)
	if err != nil {
		t.Error(err)
	}
	nothingLeft(t)
}

// TestRefusals holds what kubectl icap says of those who refuse against what
// helps.
func TestRefusals(t *testing.T) {
	rights(t)
	for _, level := range []string{"baseline", "restricted"} {
		apply(t, guarded(level))
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"baseline", []string{"--capture-namespace", "baseline"}, []string{"Pod Security", "--via debug", "privileged"}},
		{"restricted", []string{"--capture-namespace", "restricted"}, []string{"Pod Security", "privileged"}},
		{"RBAC", []string{"--as", "nobody"}, []string{"RBAC", "rbac.yaml"}},
		{"image", []string{"--image", "registry.invalid/icap:none"}, []string{"image", "ctr -n k8s.io images import"}},
		{"namespace", []string{"--capture-namespace", "nowhere"}, []string{"nowhere", "not found"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"icap", "pod", "-n", "shop", "deploy/web", "--image", Image, "-w", filepath.Join(t.TempDir(), "f.pcapng")}, tt.args...)
			out, err := try(t, "kubectl", args...)
			say(t, "$ kubectl %s\n%s", strings.Join(args, " "), out)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() <= 0 {
				t.Errorf("%v, want an exit code", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("not %q", want)
				}
			}
		})
	}
	nothingLeft(t)
}
