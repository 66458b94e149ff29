package cluster

import (
	"context"
	_ "embed"
	"strings"
	"text/template"

	"icap/internal/lab"
)

//go:embed workloads.yaml
var workloads string

// Services of the workloads.
const (
	ServiceAPI      = "10.96.0.80:80" // by the mesh
	ServiceAPIPlain = "10.96.0.81:80" // by kube-proxy
)

// Deploy starts the workloads and waits until they are ready: web, api and
// istio-ingressgateway of namespace shop.
func (c *Cluster) Deploy(ctx context.Context) error {
	root, err := lab.NewRoot()
	if err != nil {
		return err
	}
	t, err := template.New("workloads").Parse(workloads)
	if err != nil {
		return err
	}
	type app struct{ Name, Node string }
	var b strings.Builder
	if err := t.Execute(&b, map[string]any{
		"Root": string(root), "Apps": []app{{"web", nodeName(0)}, {"api", nodeName(1)}},
	}); err != nil {
		return err
	}
	if err := c.apply(ctx, b.String()); err != nil {
		return err
	}
	return c.until(ctx, "wait", "deployment", "--all", "-n", "shop", "--for=condition=Available", "--timeout=10s")
}
