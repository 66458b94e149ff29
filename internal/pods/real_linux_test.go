package pods

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain keeps the main thread for itself. Tests that give up a capability
// do so for their thread, which ends with them; the main thread cannot end.
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

// startInNetns starts a process in a network namespace of its own, and returns
// its PID and the inode of the namespace.
func startInNetns(t *testing.T) (pid int, inode uint64) {
	t.Helper()
	cmd := exec.Command("sleep", "30")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		missing(t, "CAP_SYS_ADMIN for a network namespace: "+err.Error())
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var st unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid), &st); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, st.Ino
}

func TestRealNamespaces(t *testing.T) {
	pid1, inode1 := startInNetns(t)
	pid2, inode2 := startInNetns(t)
	var s Scanner
	found, err := s.Scan()
	if err != nil {
		t.Fatal(err)
	}
	for pid, inode := range map[int]uint64{pid1: inode1, pid2: inode2} {
		i := slices.IndexFunc(found, func(p Pod) bool { return p.Inode == inode })
		if i < 0 || len(found[i].Processes) != 1 || found[i].UID != "" || found[i].Host {
			t.Fatalf("namespace %d of process %d is not found as it is: %+v", inode, pid, found)
		}
		p := found[i].Processes[0]
		if p.PID != pid || p.Command != "sleep" || p.UID != os.Geteuid() || p.Start == 0 {
			t.Errorf("process %d is found as %+v", pid, p)
		}
		for _, target := range []Target{{Kind: PID, PID: pid}, {Kind: Inode, Inode: inode}} {
			got, err := s.Resolve(target)
			if err != nil || got.Process == nil || *got.Process != p || got.Title != target.String() {
				t.Errorf("Resolve %s = %+v, %v", target, got, err)
			}
		}
	}
}

// TestWithoutPtrace gives up a capability for the test's thread.
func TestWithoutPtrace(t *testing.T) {
	pid, inode := startInNetns(t)
	runtime.LockOSThread()
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&hdr, &caps[0]); err != nil {
		t.Fatal(err)
	}
	caps[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	if err := unix.Capset(&hdr, &caps[0]); err != nil {
		t.Fatal(err)
	}

	var s Scanner
	if _, err := s.Resolve(Target{Kind: PID, PID: pid}); !errors.Is(err, fs.ErrPermission) ||
		!strings.Contains(err.Error(), "CAP_SYS_PTRACE") {
		t.Errorf("Resolve the process: %v", err)
	}
	if got, err := s.Resolve(Target{Kind: Inode, Inode: inode}); err == nil {
		t.Errorf("Resolve the inode = %+v", got)
	}
	// The namespace of the node can be told all the same, if it is ours.
	got, err := s.Resolve(Target{Kind: Host})
	if err == nil && got.Path != selfPath || err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resolve host = %+v, %v", got, err)
	}

	// A pod is known by its cgroup, but not what namespace it has.
	p := Pod{Name: "web", Namespace: "shop", UID: uid, Processes: []Process{{PID: pid}}}
	if _, err := foundPod(p); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_SYS_PTRACE") {
		t.Errorf("a pod that may not be looked into: %v", err)
	}
}

// TestBlind is a scan that could look into nothing.
func TestBlind(t *testing.T) {
	for _, tt := range []struct {
		scan scan
		want error
	}{
		{scan{others: 9, refused: 9}, fs.ErrPermission},
		{scan{others: 9, refused: 5}, fs.ErrPermission},
		{scan{others: 9, refused: 4}, nil},
		{scan{}, nil},
	} {
		if err := tt.scan.blind(); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.scan, err, tt.want)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	var s Scanner
	n := 0
	for b.Loop() {
		found, err := s.Scan()
		if err != nil {
			b.Fatal(err)
		}
		n = 0
		for _, p := range found {
			n += len(p.Processes)
		}
	}
	b.ReportMetric(float64(n), "processes")
}
