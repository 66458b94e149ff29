package kernel

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain keeps the main thread for itself. Tests move their thread into a
// namespace and let it die there; the main thread cannot die.
func TestMain(m *testing.M) {
	runtime.LockOSThread()
	os.Exit(m.Run())
}

// missing skips a test for want of something, or fails it where the
// environment promises that tests can have all they ask for.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ICAP_TEST_ROOT") == "1" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

// enterNetns moves the test's goroutine, locked to its thread, into a fresh
// network namespace. The thread ends with the test, and the namespace with
// the thread.
func enterNetns(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		missing(t, "CAP_SYS_ADMIN for a network namespace: "+err.Error())
	}
}

// drop takes capabilities from the test's thread, which has to be locked and
// to end with the test.
func drop(t *testing.T, capabilities ...int) {
	t.Helper()
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&hdr, &caps[0]); err != nil {
		t.Fatal(err)
	}
	for _, c := range capabilities {
		caps[c/32].Effective &^= 1 << (c % 32)
	}
	if err := unix.Capset(&hdr, &caps[0]); err != nil {
		t.Fatal(err)
	}
}

// run executes a program in the namespace of the test's thread.
func run(t *testing.T, stdin string, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
