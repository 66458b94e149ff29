package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Command is a command in the network of the control plane, with kubectl and
// its plugin in the path, that is the cluster's administrator.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return c.command(ctx, c.Control, name, args)
}

func (c *Cluster) command(ctx context.Context, on Machine, name string, args []string) *exec.Cmd {
	cmd := on.Network(ctx, name, args...)
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

// until repeats a command of kubectl until it succeeds.
func (c *Cluster) until(ctx context.Context, args ...string) error {
	var said []byte // by the last that was not cut short
	for {
		out, err := c.Command(ctx, "kubectl", args...).CombinedOutput()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), ctx.Err(), said)
		}
		said = out
		time.Sleep(100 * time.Millisecond)
	}
}

// apply applies a manifest.
func (c *Cluster) apply(ctx context.Context, manifest string) error {
	cmd := c.Command(ctx, "kubectl", "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	return nil
}
