// Command kubectl-icap captures in many pods of a cluster, on many nodes, into
// one file in time order: kubectl icap.
//
// The cluster itself is the engine: it places, runs, bounds and removes what
// captures. What this program does is to say where, and to merge the streams.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// version is set by the linker. It is also the tag of the image.
var version = "dev"

// completer is the name by which kubectl asks for completions.
const completer = "kubectl_complete-icap"

func main() { os.Exit(run()) }

func run() int {
	// Kubernetes' libraries log what is told here in other words.
	klog.SetLogger(logr.Discard())
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The first signal begins the orderly end, and another one kills.
	defer context.AfterFunc(ctx, stop)()
	cmd := newRoot()
	if filepath.Base(os.Args[0]) == completer {
		cmd.SetArgs(append([]string{"__complete"}, os.Args[1:]...))
	}
	err := cmd.ExecuteContext(ctx)
	tell(os.Stderr, err)
	return exitCode(err)
}
