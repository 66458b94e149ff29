package cluster

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// kubernetes is the version of the programs, that of the module kube.
const kubernetes = "v1.33.4"

// parts are the names by which the one program of module kube is started.
var parts = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"}

// moduleDir is where the sources of this module are.
func moduleDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// buildKube returns the path of the program of module kube. It is built when the
// user's cache has none of the same sources, which takes about ten minutes.
func buildKube(ctx context.Context, log io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	source := filepath.Join(moduleDir(), "kube")
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		sum.Write(b)
	}
	program := filepath.Join(cache, "icap", fmt.Sprintf("kube-%s-%x", kubernetes, sum.Sum(nil)[:8]))
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Fprintf(log, "building Kubernetes %s into %s, which takes about ten minutes\n", kubernetes, program)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for key, value := range map[string]string{"gitVersion": kubernetes, "gitMajor": "1", "gitMinor": "33", "gitTreeState": "clean"} {
			flags = append(flags, fmt.Sprintf("-X %s.%s=%s", pkg, key, value))
		}
	}
	slices.Sort(flags) // the same link each time
	if err := goBuild(ctx, source, program, "-ldflags", strings.Join(flags, " ")); err != nil {
		return "", err
	}
	return program, nil
}

// goBuild builds the static program of a directory, without haste. The program
// is there as a whole or not at all.
func goBuild(ctx context.Context, dir, program string, flags ...string) error {
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return err
	}
	unfinished := fmt.Sprintf("%s.%d", program, os.Getpid())
	defer os.Remove(unfinished)
	args := slices.Concat([]string{"go", "build", "-trimpath", "-buildvcs=false", "-o", unfinished}, flags, []string{"."})
	cmd := exec.CommandContext(ctx, "nice", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", dir, err, out)
	}
	return os.Rename(unfinished, program)
}
