package pcapwriter

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// childEnv names the test that a child process is to run.
const childEnv = "PCAPWRITER_TEST_CHILD"

// inChild runs the calling test again in a process of its own, for what cannot
// be undone in this one: limits, namespaces, signals. It returns true there,
// and false in the parent when the child has succeeded.
func inChild(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	if isChild(t) {
		return true
	}
	cmd := childCommand(t)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		require(t, false, "CAP_SYS_ADMIN for a mount namespace")
	}
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	return false
}

func isChild(t *testing.T) bool {
	return os.Getenv(childEnv) == t.Name()
}

func childCommand(t *testing.T) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name())
	return cmd
}
