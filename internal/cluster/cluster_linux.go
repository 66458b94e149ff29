package cluster

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

const (
	apiServer = "https://172.30.0.1:6443"

	// numNodes is how many nodes there are.
	numNodes = 2

	// startTimeout bounds the start of the machines, once all is built.
	startTimeout = 90 * time.Second
)

// Images that the nodes have. There is nowhere to pull any from.
const (
	Image         = "docker.io/library/icap:dev" // as shipped
	ImageCRI      = "docker.io/library/icap:cri" // with labels as targets
	ImageStandin  = "icap.test/standin:1"
	imageSandbox  = "registry.k8s.io/pause:3.6" // containerd's default
	standinBinary = "standin"
)

//go:embed scripts config
var embedded embed.FS

// A Cluster is a running cluster.
type Cluster struct {
	Dir     string
	Control Machine
	Nodes   []Machine
}

// Start builds what is missing and starts a cluster whose files are in a new
// directory. It ends with the calling process, or by Close.
func Start(ctx context.Context, dir string, log io.Writer) (*Cluster, error) {
	if err := checkNeeds(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir}
	begin := time.Now()
	step := func(what string) {
		fmt.Fprintf(log, "%-52s %6.1f s\n", what, time.Since(begin).Seconds())
		begin = time.Now()
	}
	err := c.build(ctx, log, step)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		err = c.start(ctx, step)
	}
	if err != nil {
		c.TellLogs(log)
		return nil, errors.Join(fmt.Errorf("start cluster: %w", err), c.Close())
	}
	return c, nil
}

// checkNeeds says which programs are missing.
func checkNeeds() error {
	if os.Geteuid() != 0 {
		return errors.New("a cluster takes root")
	}
	for _, program := range []string{"containerd", "ctr", "runc", "/usr/lib/cni/ptp", "iptables", "conntrack", "ip", "nsenter", "tar"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("a cluster takes %s: %w", program, err)
		}
	}
	return nil
}

// build makes the programs and the images.
func (c *Cluster) build(ctx context.Context, log io.Writer, step func(string)) error {
	kube, err := buildKube(ctx, log)
	if err != nil {
		return err
	}
	step("Kubernetes " + kubernetes)
	if err := os.Mkdir(c.path("bin"), 0o755); err != nil {
		return err
	}
	for _, name := range parts {
		if err := os.Symlink(kube, c.path("bin/"+name)); err != nil {
			return err
		}
	}
	top := filepath.Join(moduleDir(), "../..")
	for _, b := range []struct {
		dir, program string
		flags        []string
	}{
		{filepath.Join(moduleDir(), "standin"), standinBinary, nil},
		{filepath.Join(top, "cmd/icap"), "icap-dev", []string{"-tags", "nodemo", "-ldflags", "-s -w"}},
		{filepath.Join(top, "cmd/icap"), "icap-cri", []string{"-tags", "nodemo,cri", "-ldflags", "-s -w"}},
		{filepath.Join(top, "cmd/kubectl-icap"), "kubectl-icap", nil},
	} {
		if _, err := os.Stat(b.dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := goBuild(ctx, b.dir, c.path("bin/"+b.program), b.flags...); err != nil {
			return err
		}
	}
	step("icap")
	return c.writeImages(ctx)
}

// writeImages writes the archives that the nodes load.
func (c *Cluster) writeImages(ctx context.Context) error {
	if err := writeImage(c.path("standin.tar"), c.path("bin/"+standinBinary),
		[]string{"pause", "app", "get", "usr/local/bin/pilot-agent"}, []string{imageSandbox, ImageStandin}); err != nil {
		return err
	}
	for _, version := range []string{"dev", "cri"} {
		script := filepath.Join(moduleDir(), "../../deploy/image")
		goarch, err := exec.CommandContext(ctx, "go", "env", "GOARCH").Output()
		if err != nil {
			return err
		}
		binary := fmt.Sprintf("%s=%s", bytes.TrimSpace(goarch), c.path("bin/icap-"+version))
		if out, err := exec.CommandContext(ctx, script, c.path("icap-"+version+".tar"), version, binary).CombinedOutput(); err != nil {
			return fmt.Errorf("deploy/image: %w\n%s", err, out)
		}
	}
	return nil
}

// start starts the machines and waits until pods can be started.
func (c *Cluster) start(ctx context.Context, step func(string)) (err error) {
	if err := c.writeKeys(); err != nil {
		return err
	}
	if err := c.writeFiles(); err != nil {
		return err
	}
	if c.Control, err = startMachine(c.Dir, "control", "control.sh", "ROUTES="+routes(-1)); err != nil {
		return err
	}
	if err := makeCgroups(c.cgroup("")); err != nil {
		return err
	}
	var images []string
	for _, name := range []string{"standin.tar", "icap-dev.tar", "icap-cri.tar"} {
		images = append(images, c.path(name))
	}
	for i := range numNodes {
		if err := makeCgroups(c.cgroup(nodeName(i))); err != nil {
			return err
		}
		n, err := startMachine(c.Dir, nodeName(i), "node.sh",
			"ADDRESS="+nodeAddress(i), "ROUTES="+routes(i), "IMAGES="+strings.Join(images, " "))
		if err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.plugNodes(ctx); err != nil {
		return err
	}
	if err := c.until(ctx, "get", "--raw", "/readyz"); err != nil {
		return err
	}
	step("API server")
	if err := c.apply(ctx, nodeObjects()); err != nil {
		return err
	}
	if err := c.until(ctx, "wait", "node", "--all", "--for=condition=Ready", "--timeout=5s"); err != nil {
		return err
	}
	if err := c.until(ctx, "get", "serviceaccount", "default"); err != nil {
		return err
	}
	step(fmt.Sprintf("%d nodes", numNodes))
	return c.save()
}

func (c *Cluster) plugNodes(ctx context.Context) error {
	const bridge = "ip link show br0"
	for c.Control.Network(ctx, "ip", strings.Fields(bridge)[1:]...).Run() != nil {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("bridge of the control plane: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, n := range c.Nodes {
		if err := c.Control.plug(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) path(name string) string { return filepath.Join(c.Dir, name) }

// cgroup is the cgroup of a node, or the one above those of all.
func (c *Cluster) cgroup(node string) string { return filepath.Join(filepath.Base(c.Dir), node) }

func nodeName(i int) string    { return fmt.Sprintf("node-%d", i+1) }
func nodeAddress(i int) string { return fmt.Sprintf("172.30.0.%d", 11+i) }
func nodePods(i int) string    { return fmt.Sprintf("10.244.%d.0/24", i+1) }

// routes lead to the pods of all nodes but one.
func routes(but int) string {
	var all []string
	for i := range numNodes {
		if i != but {
			all = append(all, nodePods(i)+"="+nodeAddress(i))
		}
	}
	return strings.Join(all, " ")
}

// nodeObjects are the nodes, made ahead of their kubelets, so that each has the
// pod network that its CNI was given.
func nodeObjects() string {
	var b strings.Builder
	for i := range numNodes {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: %s\n  labels: {kubernetes.io/hostname: %[1]s}\nspec:\n  podCIDR: %[2]s\n  podCIDRs: [%[2]s]\n", nodeName(i), nodePods(i))
	}
	return b.String()
}

func (c *Cluster) writeKeys() error {
	if err := os.Mkdir(c.path("keys"), 0o700); err != nil {
		return err
	}
	a, err := newAuthority(c.path("keys"))
	if err != nil {
		return err
	}
	if err := a.server("apiserver", "kube-apiserver-kubelet-client", "system:masters", "172.30.0.1", "10.96.0.1", "127.0.0.1", "kubernetes.default.svc"); err != nil {
		return err
	}
	for _, user := range [][3]string{
		{"admin", "admin", "system:masters"},
		{"controllers", "system:kube-controller-manager"},
		{"scheduler", "system:kube-scheduler"},
		{"kube-proxy", "system:kube-proxy"},
	} {
		if err := a.client(user[0], user[1], user[2]); err != nil {
			return err
		}
	}
	for i := range numNodes {
		name := nodeName(i)
		if err := a.server(name, "system:node:"+name, "system:nodes", name, nodeAddress(i)); err != nil {
			return err
		}
		if err := a.kubeconfig(name); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes the scripts, and for each node its configuration.
func (c *Cluster) writeFiles() error {
	scripts, err := fs.Sub(embedded, "scripts")
	if err != nil {
		return err
	}
	if err := os.CopyFS(c.Dir, scripts); err != nil {
		return err
	}
	config, err := template.ParseFS(embedded, "config/*")
	if err != nil {
		return err
	}
	for i := range numNodes {
		name := nodeName(i)
		values := map[string]string{
			"Dir": c.path(name), "Keys": c.path("keys"), "Name": name, "Pods": nodePods(i), "Cgroup": "/" + c.cgroup(name),
		}
		if err := os.MkdirAll(c.path(name+"/net.d"), 0o755); err != nil {
			return err
		}
		for _, file := range []string{"containerd.toml", "cni.conflist", "kubelet.yaml", "kube-proxy.yaml"} {
			var b bytes.Buffer
			if err := config.ExecuteTemplate(&b, file, values); err != nil {
				return err
			}
			to := c.path(filepath.Join(name, file))
			if file == "cni.conflist" {
				to = c.path(filepath.Join(name, "net.d", file))
			}
			if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Command is a command in the network of the control plane, with kubectl and
// its plugin in the path, that is the cluster's administrator.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if !strings.Contains(name, "/") {
		if program := c.path("bin/" + name); exists(program) {
			name = program
		}
	}
	cmd := c.Control.Network(ctx, name, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.path("keys/admin.conf"), "HOME="+c.Dir,
		"PATH="+c.path("bin")+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return cmd
}

// WriteShell writes a script that starts a shell, or a command, in which Command
// would run it, and returns its path.
func (c *Cluster) WriteShell() (string, error) {
	script := fmt.Sprintf(`#!/bin/sh
export KUBECONFIG=%[1]s/keys/admin.conf PATH=%[1]s/bin:$PATH
exec nsenter --target %[2]d --net -- "${@:-${SHELL:-sh}}"
`, c.Dir, c.Control.PID)
	path := c.path("bin/in")
	return path, os.WriteFile(path, []byte(script), 0o755)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// until repeats a command of kubectl until it succeeds.
func (c *Cluster) until(ctx context.Context, args ...string) error {
	for {
		out, err := c.Command(ctx, "kubectl", args...).CombinedOutput()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), ctx.Err(), out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *Cluster) apply(ctx context.Context, manifest string) error {
	cmd := c.Command(ctx, "kubectl", "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	return nil
}

// save writes what Attach reads, and tells by that that the cluster is up.
func (c *Cluster) save() error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(c.path("cluster.json"), b, 0o600)
}

// Attach returns the cluster of a directory, which somebody else has started
// and will close.
func Attach(dir string) (*Cluster, error) {
	b, err := os.ReadFile(filepath.Join(dir, "cluster.json"))
	if err != nil {
		return nil, fmt.Errorf("no cluster is up: %w", err)
	}
	var c Cluster
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// Close ends the machines and removes all that they have left.
func (c *Cluster) Close() error {
	var errs []error
	for _, m := range append(c.Nodes, c.Control) {
		errs = append(errs, m.stop())
	}
	return errors.Join(append(errs, Remove(c.Dir))...)
}

// Remove removes what a cluster has left whose process is dead.
func Remove(dir string) error {
	return errors.Join(removeCgroups(filepath.Base(dir)), os.RemoveAll(dir))
}

// TellLogs writes the ends of all logs.
func (c *Cluster) TellLogs(w io.Writer) {
	for _, m := range append(c.Nodes, c.Control) {
		m.tellLogs(w, c.Dir)
	}
}
