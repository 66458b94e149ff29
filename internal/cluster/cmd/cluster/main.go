// Command cluster keeps the test's cluster up, for work by hand:
//
//	cluster up       starts it and returns
//	cluster down     ends it
//	cluster hold     starts it and stays until a signal comes
//
// Its files are in the directory that ICAP_CLUSTER names, /tmp/icap-cluster if
// that is not set. Two clusters do not meet.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"icap/internal/cluster"
)

func main() {
	dir := cmp.Or(os.Getenv("ICAP_CLUSTER"), "/tmp/icap-cluster")
	if err := run(dir, strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(dir, command string) error {
	switch command {
	case "up":
		return up()
	case "hold":
		return hold(dir)
	case "down":
		return down(dir)
	}
	return errors.New("usage: cluster up|down|hold")
}

// up starts a process of its own that holds the cluster, and waits until it does.
func up() error {
	cmd := exec.Command("/proc/self/exe", "hold")
	cmd.Args[0] = "cluster"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		_, _ = os.Stdout.Write(buf[:n])
		if strings.Contains(string(buf[:n]), ready) {
			return nil
		}
		if err != nil {
			return cmd.Wait()
		}
	}
}

// ready is the last that hold says.
const ready = "is up\n"

func hold(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if pid, ok := holder(dir); ok {
		return fmt.Errorf("process %d holds a cluster already", pid)
	}
	if err := cluster.Remove(dir); err != nil {
		return err
	}
	c, err := cluster.Start(ctx, dir, os.Stdout)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := os.WriteFile(filepath.Join(dir, "pid"), fmt.Append(nil, os.Getpid()), 0o600); err != nil {
		return err
	}
	if err := c.Deploy(ctx); err != nil {
		return err
	}
	shell, err := c.WriteShell()
	if err != nil {
		return err
	}
	fmt.Printf("%s starts a shell with kubectl in it; the cluster "+ready, shell)
	<-ctx.Done()
	return nil
}

// holder is the process that holds the cluster.
func holder(dir string) (int, bool) {
	b, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		return 0, false
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return pid, err == nil && string(name) == "cluster\x00hold\x00"
}

func down(dir string) error {
	pid, ok := holder(dir)
	if !ok {
		return cluster.Remove(dir)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}
