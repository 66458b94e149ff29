package crtest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"icap/nsswitch"
)

// A node is a containerd of its own, in namespaces of its own: what it mounts,
// plugs in and starts ends with it, however the test ends. Its files are in one
// directory, and its cgroups below one of the same name.
type node struct {
	t       *testing.T
	dir     string
	standin string // the program of the image
	icap    string
	ns      *nsswitch.NS // where the bridge of the pods is
	pid     int          // of containerd
	runtime cri.RuntimeServiceClient
}

const config = `version = 2
root = "DIR/root"
state = "DIR/state"
[grpc]
  address = "DIR/c.sock"
[ttrpc]
  address = "DIR/t.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "DIR/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "IMAGE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "DIR/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`

const network = `{
  "cniVersion": "0.4.0", "name": "icap", "plugins": [{
    "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false,
    "ipam": {"type": "host-local", "dataDir": "DIR/ipam", "ranges": [[{"subnet": "10.89.0.0/24"}]]}
  }]
}`

// boot becomes containerd, as process 1 of its namespaces. What containerd and
// CNI keep in places that cannot be chosen is kept in memory.
const boot = `mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run &&
mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /var/log && exec containerd --log-level warn --config "$1"`

// need skips a test for want of something, or fails it where the environment
// promises that tests can have all they ask for.
func need(t *testing.T, have bool, what string) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("ICAP_TEST_ROOT") == "1" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

// newNode starts containerd and waits until it has its image.
func newNode(t *testing.T) *node {
	t.Helper()
	need(t, os.Geteuid() == 0, "root")
	for _, program := range []string{"containerd", "ctr", "runc", "/usr/lib/cni/bridge", "iptables-restore", "nsenter", "tshark"} {
		_, err := exec.LookPath(program)
		need(t, err == nil, program)
	}
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "icap-cr")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, dir: dir}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	n.write("config.toml", config)
	n.write("net.d/10-icap.conflist", network)
	n.standin, n.icap = n.build("./standin"), n.build("../../../cmd/icap", "-tags", "cri")
	writeImage(t, filepath.Join(dir, "image.tar"), n.standin, "pause", "app", "usr/local/bin/pilot-agent")
	n.start()
	n.run("ctr", "--address", n.path("c.sock"), "--namespace", "k8s.io", "images", "import", "--snapshotter", "native", n.path("image.tar"))
	return n
}

// inside is the path of a file of the node.
func (n *node) inside(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", n.pid, path)
}

// in makes a part of the test the one that fails, until it is over.
func (n *node) in(t *testing.T) {
	whole := n.t
	n.t = t
	t.Cleanup(func() { n.t = whole })
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

func (n *node) write(name, content string) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(n.path(name)), 0o755); err != nil {
		n.t.Fatal(err)
	}
	content = strings.NewReplacer("DIR", n.dir, "IMAGE", imageName).Replace(content)
	if err := os.WriteFile(n.path(name), []byte(content), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// build builds a static program.
func (n *node) build(pkg string, flags ...string) string {
	n.t.Helper()
	out := n.path(filepath.Base(pkg))
	cmd := exec.Command("go", slices.Concat([]string{"build", "-buildvcs=false"}, flags, []string{"-o", out, "."})...)
	cmd.Dir = pkg
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// run runs a program and returns what it prints.
func (n *node) run(name string, args ...string) string {
	n.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start starts containerd and waits until it answers.
func (n *node) start() {
	t := n.t
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command("sh", "-c", boot, "sh", n.path("config.toml"))
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with process 1 all others of its namespace
		_ = cmd.Wait()
		n.removeCgroups()
		if t.Failed() {
			t.Logf("containerd:\n%s", log.String())
		}
	})
	conn, err := grpc.NewClient("unix:"+n.path("c.sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n.runtime = cri.NewRuntimeServiceClient(conn)
	await(t, "containerd", func() error {
		_, err := n.runtime.Version(t.Context(), &cri.VersionRequest{})
		return err
	})
	n.pid = cmd.Process.Pid
	if n.ns, err = nsswitch.OpenPID(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.ns.Close() })
}

// removeCgroups removes what the runtime has left of the node's cgroups, in
// every hierarchy, after their processes have ended.
func (n *node) removeCgroups() {
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		roots, _ := filepath.Glob(pattern + filepath.Base(n.dir))
		for _, root := range roots {
			var dirs []string
			_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return err
			})
			for _, dir := range slices.Backward(dirs) {
				if err := syscall.Rmdir(dir); err != nil {
					n.t.Errorf("remove cgroup %s: %v", dir, err)
				}
			}
		}
	}
}

// await waits until something succeeds.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	const patience = 15 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// get lets a process of the node ask a pod for a page.
func (n *node) get(url string) {
	n.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(n.standin, url)
	cmd.Args[0] = "get"
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := n.ns.Do(cmd.Start); err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		n.t.Fatalf("get %s: %v\n%s", url, err, out.String())
	}
}
