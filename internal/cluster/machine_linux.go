package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// A Machine is a shell that is process 1 of its own namespaces, and all that
// runs in them.
type Machine struct {
	Name string
	PID  int // of process 1, in the namespace of who has started it

	cmd *exec.Cmd
}

// startMachine runs a script as process 1 of a new machine, which ends with the
// calling process.
func startMachine(dir, name, script string, env ...string) (Machine, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return Machine{}, err
	}
	defer log.Close()
	cmd := exec.Command("sh", filepath.Join(dir, script))
	cmd.Env = append(os.Environ(), append(env, "DIR="+dir, "NAME="+name)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
		Setpgid:    true, // a terminal's ^C is not for it
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return Machine{}, fmt.Errorf("start %s: %w", name, err)
	}
	return Machine{Name: name, PID: cmd.Process.Pid, cmd: cmd}, nil
}

// stop ends the machine's process 1, and with it all others.
func (m Machine) stop() error {
	if m.cmd == nil {
		return nil
	}
	if err := m.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", m.Name, err)
	}
	_ = m.cmd.Wait() // it was killed
	return nil
}

// Path is the path, from outside, of a file of the machine.
func (m Machine) Path(name string) string { return fmt.Sprintf("/proc/%d/root%s", m.PID, name) }

// Inside is a command that runs in all namespaces of the machine. Signals for it
// reach nsenter only, which passes none on; the end of the context kills both.
func (m Machine) Inside(ctx context.Context, name string, args ...string) *exec.Cmd {
	return m.enter(ctx, append([]string{"--net", "--mount", "--pid", "--uts"}, append([]string{"--", name}, args...)...))
}

// Network is a command in the machine's network alone. Signals reach it.
func (m Machine) Network(ctx context.Context, name string, args ...string) *exec.Cmd {
	return m.enter(ctx, append([]string{"--net", "--", name}, args...))
}

func (m Machine) enter(ctx context.Context, args []string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--target", fmt.Sprint(m.PID)}, args...)...)
}

// plug joins a node to the bridge of the control machine.
func (m Machine) plug(ctx context.Context, node Machine) error {
	for _, line := range []string{
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", node.Name, node.PID),
		fmt.Sprintf("link set %s master br0 up", node.Name),
	} {
		if out, err := m.Network(ctx, "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}

// Crash kills a program of the machine, which is started again at once.
func (m Machine) Crash(ctx context.Context, program string) error {
	out, err := m.Inside(ctx, "sh", "-c", `kill -KILL "$(cat "/run/$1.pid")"`, "sh", program).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kill %s of %s: %w: %s", program, m.Name, err, out)
	}
	return nil
}

// tellLogs writes the ends of the machine's logs.
func (m Machine) tellLogs(w io.Writer, dir string) {
	const end = 4096
	logs, _ := filepath.Glob(filepath.Join(dir, m.Name, "*.log"))
	for _, path := range append(logs, filepath.Join(dir, m.Name+".log")) {
		b, err := os.ReadFile(path)
		if err == nil && len(b) > 0 {
			fmt.Fprintf(w, "--- %s\n%s\n", path, b[max(0, len(b)-end):])
		}
	}
}
