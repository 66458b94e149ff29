package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDaemonSetManifest applies daemonset.yaml, and captures the two ends of one
// call from its pods.
func TestDaemonSetManifest(t *testing.T) {
	apply(t, deployed(t, "daemonset.yaml"))
	kubectl(t, "rollout", "status", "-n", "icap", "daemonset/icap", "--timeout=25s")
	streams := make(map[string]*stream)
	for _, app := range []string{"web", "api"} {
		streams[app] = startStream(t, agentBeside(t, app), "pod", "shop/"+name(t, app), "-w", "-", "--duration", "1m", "--until-stdin-eof")
	}
	call(t, ServiceAPI, "/both")
	call(t, ServiceAPIPlain, "/plain")
	time.Sleep(300 * time.Millisecond) // the rings retire, and the streams are on their way
	for app, want := range map[string][2][]string{
		"web": {{"inbound-app", "inbound-wire", "outbound-app"}, {"inbound-app", "inbound-wire", "outbound-app", "outbound-wire"}},
		"api": {{"inbound-app"}, {"inbound-app", "inbound-wire"}},
	} {
		s := streams[app]
		s.end()
		for i, page := range []string{"both", "plain"} {
			got := legs(t, s.file, page)
			say(t, "%s: the page /%s is on %s", app, page, strings.Join(got, ", "))
			if !slices.Equal(got, want[i]) {
				t.Errorf("%s: /%s is on %q, want %q", app, page, got, want[i])
			}
		}
		check(t, s.file)
	}
}

// TestJobManifest lets job.yaml write a file on the node, in a shorter time than
// it has.
func TestJobManifest(t *testing.T) {
	web, _ := podOf(t, "app=web")
	apply(t, deployed(t, "job.yaml", "NODE", "node-1", "NAMESPACE/POD", "shop/"+web, `"5m"`, `"5s"`))
	logs := func() string {
		out, _ := try(t, "kubectl", "logs", "-n", "icap", "job/icap")
		return out
	}
	await(t, "captured by the job", func() bool { return strings.Contains(logs(), "listening on") })
	call(t, ServiceAPI, "/job")
	kubectl(t, "wait", "-n", "icap", "job/icap", "--for=condition=Complete", "--timeout=25s")
	say(t, "$ kubectl logs -n icap job/icap\n%s", logs())
	data, err := os.ReadFile(shop.Nodes[0].Path("/var/tmp/icap/pod.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pod.pcapng")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := legs(t, file, "job"); !slices.Contains(got, "outbound-app") {
		t.Errorf("the page is on %q", got)
	}
	check(t, file)
}

// TestOwnStream streams all interfaces of a node out of it. What the stream makes
// on the way out must not be in it.
func TestOwnStream(t *testing.T) {
	apply(t, deployed(t, "node.yaml", "NODE", "node-1", "hostPID: true", "hostPID: true\n  hostNetwork: true"))
	kubectl(t, "wait", "pod", "-n", "icap", "icap", "--for=condition=Ready", "--timeout=25s")
	s := startStream(t, "icap", "-i", "any", "-w", "-", "--duration", "1m", "--until-stdin-eof")
	const long = 5 * time.Second
	for end := time.Now().Add(long); time.Now().Before(end); {
		call(t, ServiceAPI, "/traffic")
	}
	s.end()
	info, err := os.Stat(s.file)
	if err != nil {
		t.Fatal(err)
	}
	say(t, "%s%d bytes in %v", s.text(), info.Size(), long)
	const most = 20 << 20 // the traffic of a node; a stream that is fed by itself makes hundreds of megabytes
	if info.Size() > most {
		t.Errorf("%d bytes: the stream captures itself", info.Size())
	}
	if n := len(tshark(t, s.file, "-Y", "tcp.port == 10250 && tcp.len > 0")); n > 0 {
		t.Errorf("%d packets of the kubelet's port", n)
	}
	if len(tshark(t, s.file, "-Y", `http.request.uri contains "traffic"`)) == 0 {
		t.Error("none of the traffic")
	}
}

// TestLabels chooses pods by labels, which a build with gRPC asks the runtime for.
func TestLabels(t *testing.T) {
	apply(t, deployed(t, "node.yaml", "NODE", "node-1", "icap:dev", "icap:cri",
		"volumeMounts:", "volumeMounts:\n    - {name: cri, mountPath: /run/containerd}",
		"  volumes:", "  volumes:\n  - name: cri\n    hostPath: {path: /run/containerd}"))
	kubectl(t, "wait", "pod", "-n", "icap", "icap", "--for=condition=Ready", "--timeout=25s")
	s := startStream(t, "icap", "pod", "label:app=web", "-w", "-", "--duration", "1m", "--until-stdin-eof")
	call(t, ServiceAPI, "/labelled")
	time.Sleep(300 * time.Millisecond)
	s.end()
	if got := legs(t, s.file, "labelled"); !slices.Contains(got, "outbound-app") {
		t.Errorf("the page is on %q\n%s", got, s.text())
	}
	out := kubectl(t, "exec", "-n", "icap", "icap", "--", "/icap", "ls", "-o", "wide")
	say(t, "$ kubectl exec -n icap icap -- /icap ls -o wide\n%s", out)
	if !strings.Contains(out, "app=web") {
		t.Error("no labels")
	}
}

const debugImage = "--image=" + Image

// TestDebugNode places icap by kubectl debug on a node, as deploy/README.md has it.
func TestDebugNode(t *testing.T) {
	web, _ := podOf(t, "app=web")
	t.Cleanup(func() {
		out, err := shop.Command(context.Background(), "kubectl", "delete", "pod", "-l", "app.kubernetes.io/managed-by=kubectl-debug", "--grace-period=1").CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	for profile, want := range map[string]string{
		"sysadmin": "outbound-app",
		"general":  "--profile=sysadmin",
	} {
		t.Run(profile, func(t *testing.T) {
			out := debug(t, "node/node-1", "--profile="+profile, "--", "/icap", "pod", "shop/"+web, "--duration", "4s")
			if !strings.Contains(out, want) {
				t.Errorf("not %q", want)
			}
		})
	}
}

// TestDebugPod places icap in an ephemeral container of a pod.
func TestDebugPod(t *testing.T) {
	web, _ := podOf(t, "app=web")
	t.Cleanup(func() { replace(t, "web") })
	for profile, want := range map[string]string{
		"netadmin": "sidecar by REDIRECT",
		"baseline": "outbound-app",
		"general":  "outbound-app",
	} {
		t.Run(profile, func(t *testing.T) {
			out := debug(t, "-n", "shop", web, "--profile="+profile, "--", "/icap", "pod", "self", "--duration", "4s")
			for _, want := range []string{want, "GET /debugged"} {
				if !strings.Contains(out, want) {
					t.Errorf("not %q", want)
				}
			}
		})
	}
}

// TestPodSecurity shows what namespaces with Pod Security admit.
func TestPodSecurity(t *testing.T) {
	for _, level := range []string{"baseline", "restricted"} {
		apply(t, guarded(level))
		refused := strings.NewReplacer("NODE", "node-1", "namespace: icap", "namespace: "+level).Replace(deployed(t, "node.yaml"))
		_, pod, _ := strings.Cut(refused, "---\n")
		cmd := shop.Command(bounded(t), "kubectl", "apply", "-f", "-")
		cmd.Stdin = strings.NewReader(pod)
		out, err := cmd.CombinedOutput()
		say(t, "node.yaml in namespace %s:\n%s", level, out)
		if err == nil || !strings.Contains(string(out), "violates PodSecurity") {
			t.Errorf("%s: %v", level, err)
		}
	}
	kubectl(t, "wait", "pod", "-n", "baseline", "plain", "--for=condition=Ready", "--timeout=25s")
	out := debug(t, "-n", "baseline", "plain", "--profile=baseline", "--", "/icap", "pod", "self", "--duration", "2s")
	if !strings.Contains(out, "received by filter") {
		t.Error("profile baseline does not capture")
	}
}

// guarded is a namespace with a level of Pod Security and, where that is
// baseline, a pod.
func guarded(level string) string {
	m := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels: {pod-security.kubernetes.io/enforce: %[1]s}\n", level)
	if level == "baseline" {
		m += "---\napiVersion: v1\nkind: Pod\nmetadata: {name: plain, namespace: baseline}\n" +
			"spec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: " + ImageStandin + ", command: [/app]}]}\n"
	}
	return m
}

// debug attaches to what kubectl debug makes, while web calls api, until it ends,
// and returns its log: attaching comes after the start, and misses the first
// lines.
func debug(t *testing.T, args ...string) string {
	t.Helper()
	cmd := shop.Command(bounded(t), "kubectl", append([]string{"debug", "-i", debugImage}, args...)...)
	stdin, hold, err := os.Pipe() // its end would end the attachment
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer hold.Close()
	cmd.Stdin = stdin
	stop := traffic(t, ServiceAPI, "/debugged")
	attached, err := cmd.CombinedOutput()
	stop()
	if err != nil {
		t.Errorf("kubectl debug: %v\n%s", err, excerpt(string(attached)))
	}
	names := regexp.MustCompile(`debugging pod (\S+) with|container name to (\S+)\.`).FindSubmatch(attached)
	if names == nil {
		t.Fatalf("no name of a pod or container in\n%s", attached)
	}
	log := []string{"logs", string(names[1])}
	if len(names[2]) > 0 {
		log = append(log[:1], "-n", args[1], args[2], "-c", string(names[2]))
	}
	out := kubectl(t, log...)
	say(t, "$ kubectl debug %s\n%s", strings.Join(args, " "), excerpt(out))
	return out
}

// excerpt is the beginning and the end of a long output.
func excerpt(out string) string {
	lines := strings.SplitAfter(out, "\n")
	if len(lines) <= 16 {
		return out
	}
	return strings.Join(lines[:8], "") + "...\n" + strings.Join(lines[len(lines)-7:], "")
}

// replace deletes the pod of an app and waits for the next one.
func replace(t *testing.T, app string) {
	t.Helper()
	pod, _ := podOf(t, "app="+app)
	kubectl(t, "delete", "pod", "-n", "shop", pod, "--grace-period=1", "--timeout=25s")
	kubectl(t, "wait", "deployment", "-n", "shop", app, "--for=condition=Available", "--timeout=25s")
}
