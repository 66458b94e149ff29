package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// TestSelector captures all pods of a selector, on two nodes, into one file.
func TestSelector(t *testing.T) {
	rights(t)
	for _, via := range []string{"job", "daemonset"} {
		t.Run(via, func(t *testing.T) {
			if via == "daemonset" {
				apply(t, deployed(t, "daemonset.yaml"))
				kubectl(t, "rollout", "status", "-n", "icap", "daemonset/icap", "--timeout=25s")
			}
			web, _ := podOf(t, "app=web")
			api, _ := podOf(t, "app=api")
			c := icap(t, []string{web, api}, "pod", "-n", "shop", "-l", "tier=shop", "--via", via)
			call(t, ServiceAPI, "/mesh")
			call(t, ServiceAPIPlain, "/plain")
			c.end()
			testBothEnds(t, c.file)
			if via == "job" {
				nothingLeft(t)
			}
		})
	}
}

// testBothEnds looks for the page /mesh, which was asked for by mutual TLS, and
// /plain, on every leg of both pods.
func testBothEnds(t *testing.T, file string) {
	t.Helper()
	for _, tt := range []struct {
		what, filter string
		want         []string
	}{
		{"/mesh", `http.request.uri contains "mesh"`, []string{"inbound-app@api", "inbound-app@web", "inbound-wire@web", "outbound-app@web"}},
		{"/plain", `http.request.uri contains "plain"`, []string{"inbound-app@api", "inbound-app@web", "inbound-wire@api", "inbound-wire@web", "outbound-app@web", "outbound-wire@web"}},
		{"TLS to port 8080", "tcp.dstport == 8080 && tcp.payload[0] == 16", []string{"inbound-wire@api", "outbound-wire@web"}},
	} {
		got := places(t, file, tt.filter)
		say(t, "%s is on %s", tt.what, strings.Join(got, ", "))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s is on %q, want %q", tt.what, got, tt.want)
		}
	}
	inOrder(t, file)
	check(t, file)
}

// rights makes the namespace of the captures and the least rights.
func rights(t *testing.T) {
	t.Helper()
	apply(t, deployed(t, "rbac.yaml"))
}

// TestGateway captures the two sides of a gateway.
func TestGateway(t *testing.T) {
	rights(t)
	gateway, _ := podOf(t, "istio=ingressgateway")
	c := icap(t, []string{gateway}, "gateway", "gateway/istio-ingressgateway", "-n", "shop")
	get(t, "http://"+gatewayPort(t)+"/edge")
	c.end()
	got := places(t, c.file, "tcp.port == 8080")
	say(t, "port 8080 is on %s", strings.Join(got, ", "))
	if want := []string{"gateway-downstream@istio", "gateway-upstream@istio"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	inOrder(t, c.file)
	check(t, c.file)
	nothingLeft(t)
}

// gatewayPort is where the gateway listens.
func gatewayPort(t *testing.T) string {
	t.Helper()
	_, ip := podOf(t, "istio=ingressgateway")
	return ip + ":8080"
}

// TestEvents tells who resets a connection, with both of its pods in the picture,
// and which connections belong together.
func TestEvents(t *testing.T) {
	rights(t)
	pods := []string{name(t, "web"), name(t, "api")}
	c := show(t, shop.Command, pods, "events", "-n", "shop", "-l", "tier=shop", "--only", "rst")
	refused(t, ServiceAPIPlain, "/reset")
	c.end()
	testReset(t, c.printed.String())

	c = show(t, shop.Command, pods, "flows", "-n", "shop", "-l", "tier=shop", "--pairs")
	call(t, ServiceAPI, "/mesh")
	call(t, ServiceAPIPlain, "/plain")
	c.end()
	testJoined(t, c.printed.String())
	nothingLeft(t)
}

// TestDebug captures from ephemeral containers, which Pod Security baseline admits
// where it has admitted the pod.
func TestDebug(t *testing.T) {
	t.Cleanup(func() { replace(t, "web"); replace(t, "api") }) // such containers stay
	pods := []string{name(t, "web"), name(t, "api")}
	c := icap(t, pods, "pod", "-n", "shop", "-l", "tier=shop", "--via", "debug")
	call(t, ServiceAPI, "/mesh")
	call(t, ServiceAPIPlain, "/plain")
	c.end()
	testBothEnds(t, c.file)
	apply(t, guarded("baseline"))
	kubectl(t, "wait", "pod", "-n", "baseline", "plain", "--for=condition=Ready", "--timeout=25s")
	icap(t, []string{"plain.baseline"}, "pod", "-n", "baseline", "plain", "--via", "debug").end()
	nothingLeft(t)
}

// TestLeastRights captures as somebody who has nothing but the rights of rbac.yaml.
func TestLeastRights(t *testing.T) {
	rights(t)
	kubectl(t, "create", "rolebinding", "icap-debug", "-n", "shop", "--clusterrole=icap-debug", "--group=GROUP")
	t.Cleanup(func() { kubectl(t, "delete", "rolebinding", "icap-debug", "-n", "shop"); replace(t, "web") })
	for _, via := range []string{"job", "debug"} {
		c := icap(t, []string{name(t, "web")}, "pod", "-n", "shop", "deploy/web", "--via", via, "--as", "tester", "--as-group", "GROUP")
		call(t, ServiceAPI, "/least")
		c.end()
		if got := places(t, c.file, `http.request.uri contains "least"`); !slices.Contains(got, "outbound-app@web") {
			t.Errorf("%s: the page is on %q", via, got)
		}
	}
	nothingLeft(t)
}

// TestOnNode writes on the nodes and fetches at the end.
func TestOnNode(t *testing.T) {
	rights(t)
	for _, volume := range []string{"emptyDir", "hostPath:/var/tmp/icap-on-node"} {
		t.Run(volume, func(t *testing.T) {
			c := icap(t, []string{name(t, "web"), name(t, "api")}, "pod", "-n", "shop", "-l", "tier=shop", "--on-node", volume)
			call(t, ServiceAPI, "/mesh")
			call(t, ServiceAPIPlain, "/plain")
			c.end()
			testBothEnds(t, c.file)
		})
	}
	nothingLeft(t)
}

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
