package cluster

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed scripts config
var embedded embed.FS

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
