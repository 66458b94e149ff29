package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	apiServer = "https://172.30.0.1:6443"

	// numNodes is how many nodes there are.
	numNodes = 2

	// startTimeout bounds the start of the machines, once all is built.
	startTimeout = 90 * time.Second
)

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

// start starts the machines and waits until pods can be started.
func (c *Cluster) start(ctx context.Context, step func(string)) error {
	if err := c.writeKeys(); err != nil {
		return err
	}
	if err := c.writeFiles(); err != nil {
		return err
	}
	if err := c.startMachines(); err != nil {
		return err
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
	// Without it no pod is admitted.
	if err := c.until(ctx, "get", "serviceaccount", "default"); err != nil {
		return err
	}
	step(fmt.Sprintf("%d nodes", numNodes))
	return c.save()
}

// startMachines starts the control plane and the nodes, and does not wait.
func (c *Cluster) startMachines() (err error) {
	if c.Control, err = startMachine(c.Dir, "control", "control.sh", "ROUTES="+routes(-1)); err != nil {
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
	return nil
}

// plugNodes joins the nodes to the bridge, once there is one.
func (c *Cluster) plugNodes(ctx context.Context) error {
	for c.Control.Network(ctx, "ip", "link", "show", "br0").Run() != nil {
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

// machines are all of them.
func (c *Cluster) machines() []Machine { return append(slices.Clone(c.Nodes), c.Control) }

// Close ends the machines and removes all that they have left.
func (c *Cluster) Close() error {
	var errs []error
	for _, m := range c.machines() {
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
	for _, m := range c.machines() {
		m.tellLogs(w, c.Dir)
	}
}
