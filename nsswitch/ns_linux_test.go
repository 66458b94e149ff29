package nsswitch_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// needRoot skips without root, and fails instead where root was promised.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("ICAP_TEST_ROOT") == "1" {
		t.Fatal("ICAP_TEST_ROOT=1, but this is not root")
	}
	t.Skip("needs root: CAP_SYS_ADMIN for unshare and setns")
}

// sleeper starts a process in a network namespace of its own.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	needRoot(t)
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// threads returns the network namespace of every thread of this process.
func threads(t *testing.T) map[string]string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("list threads: %d, %v", len(tasks), err)
	}
	m := make(map[string]string)
	for _, p := range tasks {
		if ns, err := os.Readlink(p); err == nil { // a thread may end meanwhile
			m[p] = ns
		}
	}
	return m
}

func TestDoEntersAndEveryThreadComesHome(t *testing.T) {
	cmd := sleeper(t)
	ns, err := nsswitch.OpenPID(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	home, err := nsswitch.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	if ns.ID() == home.ID() {
		t.Fatalf("child namespace %v is our own", ns.ID())
	}

	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			err := ns.Do(func() error {
				here, err := os.Readlink("/proc/thread-self/ns/net")
				if err != nil {
					return err
				}
				if here != ns.ID().String() {
					return fmt.Errorf("inside Do in %s, want %s", here, ns.ID())
				}
				ifs, err := net.Interfaces()
				if err != nil || len(ifs) != 1 || ifs[0].Name != "lo" {
					return fmt.Errorf("interfaces of a fresh namespace: %v, %v", ifs, err)
				}
				runtime.Gosched()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for path, got := range threads(t) {
		if got != home.ID().String() {
			t.Errorf("%s is in %s, want %s", path, got, home.ID())
		}
	}
}

func TestDoReturnsErrorPanicAndGoexit(t *testing.T) {
	needRoot(t)
	ns, err := nsswitch.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	want := errors.New("from inside")
	if got := ns.Do(func() error { return want }); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ns.Do(func() error { runtime.Goexit(); return nil }); got == nil {
		t.Error("Goexit inside Do was reported as success")
	}
	defer func() {
		if got := recover(); got != "boom" {
			t.Errorf("recovered %v, want boom", got)
		}
		for path, got := range threads(t) {
			if got != ns.ID().String() {
				t.Errorf("after a panic %s is in %s", path, got)
			}
		}
	}()
	_ = ns.Do(func() error { panic("boom") })
}

// A function may move its thread itself, also when Do had no way to go.
func TestThreadThatMovesItselfComesHome(t *testing.T) {
	needRoot(t)
	home, err := nsswitch.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	for range 20 {
		if err := home.Do(func() error { return unix.Unshare(unix.CLONE_NEWNET) }); err != nil {
			t.Fatal(err)
		}
	}
	for path, got := range threads(t) {
		if got != home.ID().String() {
			t.Errorf("%s is in %s, want %s", path, got, home.ID())
		}
	}
}

// TestDoAtHomeNeedsNoPrivilege runs as a user without any capability.
func TestDoAtHomeNeedsNoPrivilege(t *testing.T) {
	needRoot(t)
	const env = "ICAP_TEST_UNPRIVILEGED"
	if os.Getenv(env) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), env+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := syscall.Setuid(65534); err != nil {
		t.Fatal(err)
	}
	ns, err := nsswitch.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	ran := false
	if err := ns.Do(func() error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("ran %v, %v", ran, err)
	}
}

func TestNamespaceOutlivesItsProcess(t *testing.T) {
	cmd := sleeper(t)
	ns, err := nsswitch.OpenPID(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := ns.Do(func() error { return nil }); err != nil {
		t.Errorf("open handle after the process ended: %v", err)
	}
	_, err = nsswitch.OpenPID(cmd.Process.Pid)
	if !errors.Is(err, nsswitch.ErrProcessGone) {
		t.Errorf("open after the process ended: %v, want %v", err, nsswitch.ErrProcessGone)
	}
}

func TestReusedPIDIsNoticed(t *testing.T) {
	cmd := sleeper(t)
	proc, err := nsswitch.Proc{}.Process(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := nsswitch.Proc{}.Open(proc)
	if err != nil {
		t.Fatalf("same life: %v", err)
	}
	defer ns.Close()

	// Another life of the same number differs in its start time only.
	proc.Start--
	if _, err := (nsswitch.Proc{}).Open(proc); !errors.Is(err, nsswitch.ErrProcessGone) {
		t.Errorf("other life: %v, want %v", err, nsswitch.ErrProcessGone)
	}
}

func TestOpenByInodeAndName(t *testing.T) {
	cmd := sleeper(t)
	ns, err := nsswitch.OpenPID(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()

	found, err := nsswitch.OpenInode(ns.ID().Inode)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	if found.ID() != ns.ID() {
		t.Errorf("by inode: %v, want %v", found.ID(), ns.ID())
	}

	name := fmt.Sprintf("icap-test-%d", os.Getpid())
	target := filepath.Join(nsswitch.Dir, name)
	if err := os.MkdirAll(nsswitch.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(target)
	source := fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(target, unix.MNT_DETACH)
	named, err := nsswitch.OpenName(name)
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	if named.ID() != ns.ID() {
		t.Errorf("by name: %v, want %v", named.ID(), ns.ID())
	}
}

func TestOpenRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(f func() (*nsswitch.NS, error)) error {
		ns, err := f()
		if err == nil {
			ns.Close()
		}
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"plain file", open(func() (*nsswitch.NS, error) { return nsswitch.Open(file) }), nsswitch.ErrNotNetns},
		{"other kind of namespace", open(func() (*nsswitch.NS, error) { return nsswitch.Open("/proc/self/ns/mnt") }), nsswitch.ErrNotNetns},
		{"missing path", open(func() (*nsswitch.NS, error) { return nsswitch.Open(file + "x") }), fs.ErrNotExist},
		{"missing name", open(func() (*nsswitch.NS, error) { return nsswitch.OpenName("icap-no-such") }), fs.ErrNotExist},
		{"missing inode", open(func() (*nsswitch.NS, error) { return nsswitch.OpenInode(1) }), fs.ErrNotExist},
		{"no such process", open(func() (*nsswitch.NS, error) { return nsswitch.OpenPID(1<<22 + 1) }), nsswitch.ErrProcessGone},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b"} {
		if _, err := nsswitch.OpenName(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("name %q was looked up: %v", name, err)
		}
	}
}

// PID 1 of this machine may refuse even root; then the error names the
// capability instead of hanging or pretending that there is no such process.
func TestInitProcess(t *testing.T) {
	ns, err := nsswitch.OpenPID(1)
	switch {
	case err == nil:
		ns.Close()
	case errors.Is(err, fs.ErrPermission):
		if !strings.Contains(err.Error(), "CAP_SYS_PTRACE") {
			t.Errorf("refused without naming the capability: %v", err)
		}
	default:
		t.Errorf("process 1: %v", err)
	}
}
