package nsswitch_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// tick is more than the unit in which the start of a process is told.
const tick = 20 * time.Millisecond

// TestPIDReused really gives the PID of a process that has ended to another one,
// in another network namespace: that is never opened for the first. It does so in
// a PID namespace of its own, where it may say which PID is next.
func TestPIDReused(t *testing.T) {
	needRoot(t)
	const env = "ICAP_TEST_REUSE"
	if os.Getenv(env) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), env+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("proc", "/proc", "proc", 0, "")); err != nil {
		t.Fatal(err)
	}
	first := sleeper(t)
	pid := first.Process.Pid
	found, err := nsswitch.Proc{}.Process(pid)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := nsswitch.Proc{}.Open(found)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	_ = first.Process.Kill()
	_ = first.Wait() // it was killed
	time.Sleep(tick) // within which no machine comes round to a PID again
	second := successor(t, pid)
	other, err := nsswitch.OpenPID(second.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.ID() == ns.ID() {
		t.Fatal("both processes are in one namespace")
	}
	if wrong, err := (nsswitch.Proc{}).Open(found); !errors.Is(err, nsswitch.ErrProcessGone) {
		t.Errorf("%v, %v for process %d, whose PID is another's", wrong, err, pid)
	}
}

// successor is a process of a certain PID. Threads of the test may take that
// first.
func successor(t *testing.T, pid int) *exec.Cmd {
	t.Helper()
	for range 100 {
		last := strconv.Itoa(pid - 1)
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(last), 0); err != nil {
			t.Fatal(err)
		}
		if cmd := sleeper(t); cmd.Process.Pid == pid {
			return cmd
		}
	}
	t.Fatal(fmt.Errorf("PID %d does not come again", pid))
	return nil
}
