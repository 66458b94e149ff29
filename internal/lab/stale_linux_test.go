package lab

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

func TestOwnerName(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	got, ok := parseOwner(me.String() + "-12-product-page")
	if !ok || got != me {
		t.Errorf("got %+v, %t; want %+v", got, ok, me)
	}
	for _, name := range []string{
		"", "cni-4711", "icap-lab", "icap-lab-1", "icap-lab-1-2-3",
		"icap-lab-x-2-3-1-app", "icap-lab-1-?-3-1-app", "icap-lab-1-2-fffff-1-app",
		"icap-lab-1-0-3-1-app",
	} {
		if o, ok := parseOwner(name); ok {
			t.Errorf("%q has owner %+v", name, o)
		}
	}
}

func TestOwnerAlive(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	if !me.alive() {
		t.Error("the calling process is dead")
	}
	reused := me
	reused.Start--
	if reused.alive() {
		t.Error("a process is taken for an earlier one with its number")
	}

	cmd := exec.Command("/proc/self/exe", "-test.run", "^$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := nsswitch.Proc{}.Process(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	child := owner{Process: p, pidns: me.pidns}
	waitZombie(t, cmd.Process.Pid)
	if child.alive() {
		t.Error("a zombie is alive")
	}
	_ = cmd.Wait()
	if child.alive() {
		t.Error("a process that has been reaped is alive")
	}
}

// TestForgottenRunRole keeps a program without RunRole from starting itself
// over and over.
func TestForgottenRunRole(t *testing.T) {
	t.Setenv(roleEnv, kindApp)
	l, err := New(t.Context(), Config{})
	if err == nil {
		_ = l.Close()
		t.Fatal("a stand-in made a lab")
	}
}

// waitZombie waits for a child to end without reaping it.
func waitZombie(t *testing.T, pid int) {
	t.Helper()
	err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	if err != nil {
		t.Fatal(err)
	}
}
