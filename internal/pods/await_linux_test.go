package pods

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAwaitEnd ends two processes of a namespace one after the other: only
// with the second is it over.
func TestAwaitEnd(t *testing.T) {
	pid, inode := startInNetns(t)
	var s Scanner
	found, err := s.Resolve(Target{Kind: Inode, Inode: inode})
	if err != nil {
		t.Fatal(err)
	}
	second := exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid), "sleep", "30")
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		second.Process.Kill()
		second.Wait()
	})
	p := &Pod{Inode: inode}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all, err := s.members()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, m := range all {
			if m.inode == inode {
				n++
			}
		}
		if n == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d processes in the namespace, want 2", n)
		}
	}
	done := make(chan error, 1)
	go func() { done <- s.AwaitEnd(t.Context(), p) }()
	if err := syscall.Kill(found.Process.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	if home, err := s.survivor(p); err != nil || home == nil || home.PID != second.Process.Pid {
		t.Fatalf("survivor is %+v, %v, want %d", home, err, second.Process.Pid)
	}
	select {
	case err := <-done:
		t.Fatalf("it is over with one process left: %v", err)
	default:
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
	}
}

// TestAwaitEndOfFixture waits without a pidfd, as for the proc file system of
// another PID namespace.
func TestAwaitEndOfFixture(t *testing.T) {
	n := newNode(t)
	n.process(100, "pause", cgroupOf(1, 1), "a", nil)
	n.process(101, "other", "0::/\n", "a", nil)
	p := &Pod{UID: uidOf(1), Inode: n.inode("a")}
	done := make(chan error, 1)
	go func() { done <- n.scanner().AwaitEnd(t.Context(), p) }()
	select {
	case err := <-done:
		t.Fatalf("it is over while the sandbox lives: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.RemoveAll(filepath.Join(n.dir, "proc/100")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestSurvivorOf takes nothing for gone that it may not see.
func TestSurvivorOf(t *testing.T) {
	pod, other := Pod{UID: uidOf(1), Inode: 7}, Pod{Inode: 7}
	seen := func(uid string, inode uint64) member {
		return member{Process: Process{PID: 100, Start: 5}, podUID: uid, inode: inode}
	}
	unseen := func(uid string) member {
		return member{Process: Process{PID: 100, Start: 5}, podUID: uid, refused: true}
	}
	hidden := member{Process: Process{PID: 200}, refused: true}
	for name, tt := range map[string]struct {
		pod     Pod
		members []member
		there   bool
		err     error
	}{
		"there":                  {pod, []member{seen(uidOf(1), 7)}, true, nil},
		"of another pod":         {pod, []member{seen(uidOf(2), 7)}, false, nil},
		"in another namespace":   {pod, []member{seen(uidOf(1), 8)}, false, nil},
		"unseen":                 {pod, []member{unseen(uidOf(1))}, true, nil},
		"another's, unseen":      {pod, []member{unseen(uidOf(2))}, false, nil},
		"hidden":                 {pod, []member{hidden}, false, fs.ErrPermission},
		"there, another hidden":  {pod, []member{hidden, seen(uidOf(1), 7)}, true, nil},
		"of no pod":              {other, []member{seen("", 7)}, true, nil},
		"of no pod, one unseen":  {other, []member{unseen("")}, false, nil},
		"nobody is there at all": {pod, nil, false, nil},
	} {
		got, err := survivorOf(&tt.pod, tt.members)
		if !errors.Is(err, tt.err) || (got != nil) != tt.there {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAwaitEndCancelled(t *testing.T) {
	_, inode := startInNetns(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Scanner{}.AwaitEnd(ctx, &Pod{Inode: inode}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
