package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"icap/internal/lab/ociimage"
)

// Images that the nodes have. There is nowhere to pull any from.
const (
	Image         = "docker.io/library/icap:dev" // as shipped
	ImageCRI      = "docker.io/library/icap:cri" // with labels as targets
	ImageStandin  = "icap.test/standin:1"
	imageSandbox  = "registry.k8s.io/pause:3.6" // containerd's default
	standinBinary = "standin"
)

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
		if err := goBuild(ctx, b.dir, c.path("bin/"+b.program), b.flags...); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"get": standinBinary, "kubectl_complete-icap": filepath.Join(top, "deploy/kubectl_complete-icap"),
	} {
		if err := os.Symlink(target, c.path("bin/"+name)); err != nil {
			return err
		}
	}
	step("icap")
	return c.writeImages(ctx)
}

// writeImages writes the archives that the nodes load.
func (c *Cluster) writeImages(ctx context.Context) error {
	if err := ociimage.Write(c.path("standin.tar"), c.path("bin/"+standinBinary),
		[]string{"pause", "app", "get", "usr/local/bin/pilot-agent"}, []string{imageSandbox, ImageStandin}); err != nil {
		return err
	}
	for _, version := range []string{"dev", "cri"} {
		cmd := exec.CommandContext(ctx, filepath.Join(moduleDir(), "../../deploy/image"),
			c.path("icap-"+version+".tar"), version, runtime.GOARCH+"="+c.path("bin/icap-"+version))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("deploy/image: %w\n%s", err, out)
		}
	}
	return nil
}
