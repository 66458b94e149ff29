package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// BuildIcap builds icap from the module that this one's go.mod points to, in
// a folder. The working directory has to be in this module.
func BuildIcap(ctx context.Context, dir string) (path string, err error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "icap")
	root, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("find the source of icap (run bench in its own folder, or give -icap): %w", err)
	}
	source := strings.TrimSpace(string(root))
	version := "unknown"
	git := exec.CommandContext(ctx, "git", "-C", source, "describe", "--tags", "--always", "--dirty")
	if out, err := git.Output(); err == nil {
		version = strings.TrimSpace(string(out))
	}
	path = filepath.Join(dir, Icap)
	return path, build(ctx, source, []string{"CGO_ENABLED=0"},
		"-trimpath", "-tags", "nodemo", "-ldflags", "-s -w -X main.version="+version, "-o", path, "./cmd/icap")
}

// buildGopacket takes cgo, because gopacket's afpacket does.
func buildGopacket(ctx context.Context, dir string) (string, error) {
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		return "", fmt.Errorf("takes cgo: %w", err)
	}
	path := filepath.Join(dir, "gopacket")
	return path, build(ctx, "", []string{"CGO_ENABLED=1"}, "-o", path, "icap/bench/internal/peer/gopacket")
}

func buildGopcap(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "go-pcap")
	return path, build(ctx, "", []string{"CGO_ENABLED=0"}, "-o", path, "icap/bench/internal/peer/gopcap")
}

func buildLoop(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "loop")
	return path, build(ctx, "", []string{"CGO_ENABLED=0"}, "-o", path, "icap/bench/internal/peer/loop")
}

// build runs go build in a folder, or the current one.
func build(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		what := args[len(args)-1]
		return fmt.Errorf("build %s: %w", what, errors.Join(err, errors.New(strings.TrimSpace(string(out)))))
	}
	return nil
}
