package crtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"icap/nsswitch"
)

// A pod is a sandbox with its containers, as the kubelet would make it.
type pod struct {
	*node
	namespace, name, uid string
	attempt              uint32
	labels               map[string]string
	greets               bool
	mounts               []*cri.Mount // of the containers that follow
	sandbox              string
	containers           map[string]string // ID by name
	ip                   string
	pid                  int // of the sandbox
	config               *cri.PodSandboxConfig
}

// newPod starts a sandbox with an app and, if it is to be one of the mesh, a
// sidecar and Istio's rules.
func (n *node) newPod(namespace, name string, sidecar bool) *pod {
	n.t.Helper()
	p := n.namePod(namespace, name)
	p.start(sidecar)
	return p
}

// newLabelled starts a plain pod with labels, whose app tells the node at once
// that it has started.
func (n *node) newLabelled(name string, labels map[string]string) *pod {
	n.t.Helper()
	p := n.labelledSandbox(name, labels)
	p.startApp()
	return p
}

// labelledSandbox does not start the app yet.
func (n *node) labelledSandbox(name string, labels map[string]string) *pod {
	n.t.Helper()
	p := n.namePod("shop", name)
	p.labels, p.greets = labels, true
	p.startSandbox()
	return p
}

// namePod makes up a UID as well.
func (n *node) namePod(namespace, name string) *pod {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	uid := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return &pod{node: n, namespace: namespace, name: name, uid: uid}
}

func (p *pod) start(sidecar bool) {
	p.t.Helper()
	p.startSandbox()
	if sidecar {
		p.startMesh()
		return
	}
	p.startApp()
}

// startMesh makes the pod one of the mesh, and starts its app.
func (p *pod) startMesh() {
	p.t.Helper()
	p.applyRules()
	p.container("istio-proxy", 1337, "/usr/local/bin/pilot-agent", "proxy", "sidecar", "--domain", p.namespace+".svc.cluster.local")
	p.startApp()
}

func (p *pod) startSandbox() {
	t := p.t
	t.Helper()
	p.containers = make(map[string]string)
	p.config = &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Namespace: p.namespace, Name: p.name, Uid: p.uid, Attempt: p.attempt},
		Hostname: p.name,
		Labels:   maps.Clone(p.labels),
		Linux:    &cri.LinuxPodSandboxConfig{CgroupParent: p.cgroup()},
	}
	// The kubelet makes this before the sandbox.
	if err := os.MkdirAll(p.inside("/var/log/pods/"+p.namespace+"_"+p.name+"_"+p.uid), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := p.runtime.RunPodSandbox(t.Context(), &cri.RunPodSandboxRequest{Config: p.config})
	if err != nil {
		t.Fatal(err)
	}
	p.sandbox = r.PodSandboxId
	p.inspect()
}

func (p *pod) startApp() {
	p.t.Helper()
	command := []string{"/app"}
	if p.greets {
		command = append(command, "10.89.0.1:9")
	}
	p.container("app", 1000, command...)
}

// cgroup is where the kubelet of a node in a container puts pods that may
// burst.
func (p *pod) cgroup() string {
	return "/" + filepath.Base(p.dir) + "/kubepods/burstable/pod" + p.uid
}

// inspect asks for the address and the first process of the sandbox.
func (p *pod) inspect() {
	p.t.Helper()
	s, err := p.runtime.PodSandboxStatus(p.t.Context(), &cri.PodSandboxStatusRequest{PodSandboxId: p.sandbox, Verbose: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.ip = s.Status.Network.Ip
	var info struct{ Pid int }
	if err := json.Unmarshal([]byte(s.Info["info"]), &info); err != nil || info.Pid == 0 {
		p.t.Fatalf("no pid in %s: %v", s.Info["info"], err)
	}
	p.pid = p.outside(info.Pid)
}

// outside is the PID of a process of the node in the namespace of the test.
func (p *pod) outside(inside int) int {
	p.t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range entries {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			// The PIDs of a process, from the outer namespace to its own.
			f := strings.Fields(line)
			if len(f) != 4 || f[0] != "NSpid:" && f[0] != "NStgid:" || f[2] != fmt.Sprint(inside) {
				continue
			}
			var pid int
			if _, err := fmt.Sscan(f[1], &pid); err == nil && p.has(pid) {
				return pid
			}
		}
	}
	p.t.Fatalf("no process %d of the node", inside)
	return 0
}

// has reports whether a process is in the pod's cgroup.
func (p *pod) has(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err == nil && strings.Contains(string(b), p.uid)
}

// container starts a program of the image in the pod.
func (p *pod) container(name string, uid int64, command ...string) {
	t := p.t
	t.Helper()
	c, err := p.runtime.CreateContainer(t.Context(), &cri.CreateContainerRequest{
		PodSandboxId: p.sandbox, SandboxConfig: p.config,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: name, Attempt: p.attempt},
			Image:    &cri.ImageSpec{Image: imageName},
			Command:  command,
			Mounts:   p.mounts,
			Envs: []*cri.KeyValue{
				{Key: "POD_NAME", Value: []byte(p.name)}, {Key: "POD_NAMESPACE", Value: []byte(p.namespace)},
				{Key: "ISTIO_META_WORKLOAD_NAME", Value: []byte("deployment-of-" + p.name)},
			},
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				RunAsUser: &cri.Int64Value{Value: uid}, RunAsGroup: &cri.Int64Value{Value: uid},
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.runtime.StartContainer(t.Context(), &cri.StartContainerRequest{ContainerId: c.ContainerId}); err != nil {
		t.Fatal(err)
	}
	p.containers[name] = c.ContainerId
}

// applyRules does what Istio's init container does.
func (p *pod) applyRules() {
	t := p.t
	t.Helper()
	ns, err := nsswitch.OpenPID(p.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	rules, err := os.Open("../../lab/testdata/sidecar-redirect.rules")
	if err != nil {
		t.Fatal(err)
	}
	defer rules.Close()
	cmd := exec.Command("iptables-restore", "-w", "5")
	cmd.Stdin, cmd.Stderr = rules, os.Stderr
	if err := ns.Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// restart replaces one container, as the kubelet does when it has crashed.
func (p *pod) restart(name string, uid int64, command ...string) {
	p.t.Helper()
	p.stopContainer(name)
	p.attempt++
	p.container(name, uid, command...)
}

func (p *pod) stopContainer(name string) {
	t := p.t
	t.Helper()
	if _, err := p.runtime.StopContainer(t.Context(), &cri.StopContainerRequest{ContainerId: p.containers[name]}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.runtime.RemoveContainer(t.Context(), &cri.RemoveContainerRequest{ContainerId: p.containers[name]}); err != nil {
		t.Fatal(err)
	}
}

// remove takes the sandbox down with all that is in it.
func (p *pod) remove() {
	t := p.t
	t.Helper()
	if _, err := p.runtime.StopPodSandbox(t.Context(), &cri.StopPodSandboxRequest{PodSandboxId: p.sandbox}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.runtime.RemovePodSandbox(t.Context(), &cri.RemovePodSandboxRequest{PodSandboxId: p.sandbox}); err != nil {
		t.Fatal(err)
	}
}

// replace makes a new sandbox for the same pod, with a new namespace. Nothing
// is in it until it is told.
func (p *pod) replace() {
	p.t.Helper()
	p.remove()
	p.attempt++
	p.startSandbox()
}
