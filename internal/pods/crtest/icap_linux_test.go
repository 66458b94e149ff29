package crtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A row is what icap ls -o json tells of a namespace.
type row struct {
	Target, Pod, Namespace, UID, Workload, Role, Mode string
	PID                                               int
	ProxyUIDs, ProxyPorts, AppPorts                   []int
	Containers                                        []string
	Labels                                            map[string]string
	Interfaces                                        []link
}

type link struct {
	Name      string
	Addresses []string
}

// ls runs icap ls, and returns its rows by target.
func (n *node) ls() map[string]row {
	n.t.Helper()
	var rows []row
	if err := json.Unmarshal([]byte(n.run(n.icap, "ls", "-o", "json")), &rows); err != nil {
		n.t.Fatal(err)
	}
	all := make(map[string]row)
	for _, r := range rows {
		all[r.Target] = r
	}
	return all
}

// A capture is icap pod while it runs.
type capture struct {
	*exec.Cmd
	t      *testing.T
	file   string
	inside bool // icap is the child of nsenter
	mu     sync.Mutex
	said   bytes.Buffer
}

// capture starts icap pod and waits until it captures.
func (n *node) capture(name string, args ...string) *capture {
	n.t.Helper()
	c := &capture{t: n.t, file: n.path(name + ".pcapng")}
	c.Cmd = exec.Command(n.icap, append([]string{"pod", "-w", c.file}, args...)...)
	return n.begin(c)
}

// captureInside starts it in the namespaces of the node, as if that were a
// machine.
func (n *node) captureInside(name string, args ...string) *capture {
	n.t.Helper()
	c := &capture{t: n.t, file: n.path(name + ".pcapng"), inside: true}
	enter := []string{"-t", fmt.Sprint(n.pid), "-m", "-n", "-p", "--", n.icap, "pod", "-w", c.file}
	c.Cmd = exec.Command("nsenter", append(enter, args...)...)
	return n.begin(c)
}

func (n *node) begin(c *capture) *capture {
	n.t.Helper()
	c.Stderr = c
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = c.Process.Kill() })
	c.await("listening on eth0", 1)
	return c
}

// Write takes what icap says.
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

// await waits until icap has said something so often.
func (c *capture) await(what string, times int) {
	c.t.Helper()
	for end := time.Now().Add(10 * time.Second); strings.Count(c.text(), what) < times; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("icap does not say %q %d times:\n%s", what, times, c.text())
		}
	}
}

// end waits for the end, after a signal if it is not 0, and checks the code.
func (c *capture) end(signal syscall.Signal, want int) {
	c.t.Helper()
	if signal != 0 {
		if err := syscall.Kill(c.icap(), signal); err != nil {
			c.t.Fatal(err)
		}
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	_ = c.Wait() // the code tells
	if got := c.ProcessState.ExitCode(); got != want {
		c.t.Errorf("exit code %d, want %d\n%s", got, want, c.text())
	}
}

// icap is the PID of icap.
func (c *capture) icap() int {
	c.t.Helper()
	pid := c.Process.Pid
	if c.inside {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(children), &pid); err != nil {
			c.t.Fatalf("children of nsenter: %q: %v", children, err)
		}
	}
	return pid
}

// paths are the pages that were asked for on one leg, in order, and interfaces
// the numbers of those they were seen on.
func (c *capture) paths(leg string) (paths, interfaces []string) {
	c.t.Helper()
	out, err := exec.Command("tshark", "-r", c.file, "-Y", `http.request && frame.interface_name contains ":`+leg+`@"`,
		"-T", "fields", "-e", "frame.interface_id", "-e", "http.request.uri").Output()
	if err != nil {
		c.t.Fatalf("tshark: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		id, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
		paths, interfaces = append(paths, path), append(interfaces, id)
	}
	return paths, interfaces
}

// greetings are the interfaces on which apps have said that they have started.
func (c *capture) greetings() []string {
	c.t.Helper()
	out, err := exec.Command("tshark", "-r", c.file, "-Y", "udp.dstport == 9 && !icmp", "-T", "fields", "-e", "frame.interface_name").Output()
	if err != nil {
		c.t.Fatalf("tshark: %v", err)
	}
	return strings.Fields(string(out))
}

// TestPods finds, lists, captures and follows pods of containerd.
func TestPods(t *testing.T) {
	n := newNode(t)
	web := n.newPod("shop", "web-0", true)
	plain := n.newPod("other", "plain", false)
	t.Run("ls", func(t *testing.T) { n.in(t); testLs(t, n, web, plain) })
	t.Run("several", func(t *testing.T) { n.in(t); testSeveral(t, n, web, plain) })
	t.Run("exec", func(t *testing.T) { n.in(t); testExec(t, n, plain) })
	t.Run("extcap", func(t *testing.T) { n.in(t); testExtcap(t, n, web, plain) })
	t.Run("image", func(t *testing.T) { n.in(t); testReleaseImage(t, n) })
	t.Run("follow", func(t *testing.T) { n.in(t); testFollow(t, n, web) })
	t.Run("deleted", func(t *testing.T) { n.in(t); testDeleted(t, n, plain) })
}

func testLs(t *testing.T, n *node, web, plain *pod) {
	all := n.ls()
	r := all["shop/web-0"]
	if r.UID != web.uid || r.PID != web.pid || r.Workload != "deployment-of-web-0" || r.Role != "sidecar" || r.Mode != "REDIRECT" {
		t.Errorf("%+v, want uid %s, pid %d, a sidecar by REDIRECT", r, web.uid, web.pid)
	}
	if !slices.Equal(r.ProxyUIDs, []int{1337}) || !slices.Equal(r.ProxyPorts, []int{15001, 15006, 15021, 15090}) || !slices.Equal(r.AppPorts, []int{8080}) {
		t.Errorf("proxy uid %v, ports %v, app ports %v", r.ProxyUIDs, r.ProxyPorts, r.AppPorts)
	}
	ids := []string{web.sandbox, web.containers["app"], web.containers["istio-proxy"]}
	if len(r.Containers) != 3 || slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(r.Containers, id) }) {
		t.Errorf("containers %v, want %v", r.Containers, ids)
	}
	i := slices.IndexFunc(r.Interfaces, func(l link) bool { return l.Name == "eth0" })
	if i < 0 || !slices.Contains(r.Interfaces[i].Addresses, web.ip+"/24") {
		t.Errorf("interfaces %v, want eth0 with %s", r.Interfaces, web.ip)
	}
	// Nothing tells the namespace of a pod without a proxy and a kubelet.
	if r := all["plain"]; r.UID != plain.uid || r.Role != "plain" || r.Mode != "" || !slices.Equal(r.AppPorts, []int{8080}) {
		t.Errorf("%+v, want a plain pod %s", r, plain.uid)
	}
}

// testSeveral captures two pods, each found in another way.
func testSeveral(t *testing.T, n *node, web, plain *pod) {
	c := n.capture("several", "container:"+web.containers["app"][:12], "plain", "--")
	n.get("http://" + web.ip + ":8080/one")
	n.get("http://" + plain.ip + ":8080/two")
	c.end(syscall.SIGINT, 0)
	for leg, want := range map[string]string{"inbound-wire": "/one", "inbound-app": "/one", "direct": "/two"} {
		if got, _ := c.paths(leg); !slices.Equal(got, []string{want}) {
			t.Errorf("%s has %q, want %q", leg, got, want)
		}
	}
}

// testFollow restarts a container, which changes nothing, and then replaces
// the sandbox, whose interfaces are new ones of the same file. They are captured
// before the pod has any container, and the legs are told when there are rules.
func testFollow(t *testing.T, n *node, web *pod) {
	c := n.captureInside("follow", "shop/web-0", "--follow")
	n.get("http://" + web.ip + ":8080/before")
	web.restart("app", 1000, "/app")
	n.get("http://" + web.ip + ":8080/container")
	web.replace()
	c.await("web-0.shop is gone; waiting for it to come back", 1)
	c.await("listening on eth0", 2)
	web.greets = true
	web.startMesh()
	c.await("sidecar by REDIRECT", 2)
	n.get("http://" + web.ip + ":8080/sandbox")
	c.end(syscall.SIGINT, 0)
	for _, leg := range []string{"inbound-wire", "inbound-app"} {
		paths, on := c.paths(leg)
		if want := []string{"/before", "/container", "/sandbox"}; !slices.Equal(paths, want) {
			t.Errorf("%s has %q, want %q", leg, paths, want)
			continue
		}
		if on[0] != on[1] || on[1] == on[2] {
			t.Errorf("%s: interfaces %v, want the same for a new container and another for a new sandbox", leg, on)
		}
	}
	if got := c.greetings(); !slices.Equal(got, []string{"eth0:direct@web-0.shop"}) {
		t.Errorf("the first packets are on %q\n%s", got, c.text())
	}
}

// testDeleted ends the capture with the pod, and has all its packets.
func testDeleted(t *testing.T, n *node, p *pod) {
	c := n.capture("deleted", "plain")
	n.get("http://" + p.ip + ":8080/last")
	p.remove()
	c.end(0, 3)
	if !strings.Contains(c.text(), "icap: plain: the pod is gone\n") {
		t.Errorf("icap says\n%s", c.text())
	}
	if got, _ := c.paths("direct"); !slices.Equal(got, []string{"/last"}) {
		t.Errorf("captured %q", got)
	}
}
