// Command icap captures packets in the network namespace of a pod, knows which
// leg of Istio's traffic each of them is on, and writes pcapng.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// version is set by the linker.
var version = "devel"

func main() {
	playRole()
	os.Exit(run())
}

func run() int {
	limitMemory()
	// A reader that goes away is an error of the write, not a death.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	// After a signal has begun the orderly end, another one kills. Those that
	// come with it are the same: timeout(1) signals its child, and then its
	// group.
	const together = 500 * time.Millisecond
	ended := context.AfterFunc(ctx, func() { time.AfterFunc(together, stop) })
	defer ended() // without a signal there is no timer, which takes a descriptor
	cmd := newCommand(filepath.Base(os.Args[0]))
	if isExtcap(os.Args[1:]) {
		cmd.SetArgs(append([]string{"extcap"}, os.Args[1:]...))
	}
	failed, err := cmd.ExecuteContextC(ctx)
	printError(os.Stderr, failed.CommandPath(), err)
	return exitCode(err)
}
