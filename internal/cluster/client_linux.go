package cluster

import (
	"context"
	"fmt"
	"os/exec"
)

// A Client is one more machine at the bridge, whose network can be cut off.
type Client struct {
	Machine
	cluster *Cluster
}

// StartClient starts a client. It ends with the calling process, or by Stop.
func (c *Cluster) StartClient(ctx context.Context) (*Client, error) {
	m, err := startMachine(c.Dir, "client", "client.sh")
	if err != nil {
		return nil, err
	}
	if err := c.Control.plug(ctx, m); err != nil {
		_ = m.stop() // the first error tells
		return nil, err
	}
	return &Client{m, c}, nil
}

// Command is a command of the cluster's administrator on the client's network.
func (c *Client) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return c.cluster.command(ctx, c.Machine, name, args)
}

// Cut cuts the client off. Nobody is told.
func (c *Client) Cut(ctx context.Context) error {
	out, err := c.cluster.Control.Network(ctx, "ip", "link", "set", c.Name, "down").CombinedOutput()
	if err != nil {
		return fmt.Errorf("cut %s off: %w: %s", c.Name, err, out)
	}
	return nil
}

// Stop ends the client with all that runs there.
func (c *Client) Stop() error { return c.stop() }
