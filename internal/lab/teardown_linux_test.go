package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// left lists the namespaces and mounts whose names hold a word.
func left(t *testing.T, word string) []string {
	t.Helper()
	var found []string
	names, err := filepath.Glob(filepath.Join(nsswitch.Dir, "*"+word+"*"))
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, names...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, word) {
			found = append(found, line)
		}
	}
	return found
}

// mine is what the names of this process's namespaces begin with.
func mine() string { return fmt.Sprintf("icap-lab-%d-", os.Getpid()) }

// pids are the stand-ins of a lab.
func pids(l *lab.Lab) []int {
	return []int{l.Client.AppPID, l.App.AppPID, l.App.ProxyPID, l.Server.AppPID, l.Server.ProxyPID}
}

func running(pid int) bool {
	_, err := os.Stat("/proc/" + strconv.Itoa(pid))
	return err == nil
}

// interfaces are those of the namespace that the test runs in.
func interfaces(t *testing.T) []string {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

func TestCloseLeavesNothing(t *testing.T) {
	labtest.Need(t)
	before := interfaces(t)
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.New(t.Context(), lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	stands := pids(l)
	for _, pid := range stands {
		if !running(pid) {
			t.Errorf("process %d does not run", pid)
		}
	}
	if got := left(t, mine()); len(got) != 8 {
		t.Errorf("got %d names and mounts, want 4 of each: %q", len(got), got)
	}
	if got := interfaces(t); !slices.Equal(got, before) {
		t.Errorf("interfaces here: got %q, want %q", got, before)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, pid := range stands {
		if running(pid) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if got := left(t, mine()); got != nil {
		t.Errorf("left: %q", got)
	}
	if _, err := l.Health(t.Context()); err == nil {
		t.Error("a closed lab answers")
	}
	threadsAtHome(t, home)
}

// threadsAtHome checks that no thread of this process has stayed in a pod.
func threadsAtHome(t *testing.T, home string) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("threads: %q, %v", tasks, err)
	}
	for _, task := range tasks {
		at, err := os.Readlink(task)
		if errors.Is(err, fs.ErrNotExist) {
			continue // The thread has ended.
		}
		if err != nil || at != home {
			t.Errorf("%s: %s, %v; want %s", task, at, err, home)
		}
	}
}

// TestNewFails stops New at different points.
func TestNewFails(t *testing.T) {
	labtest.Need(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		config lab.Config
	}{
		"canceled":   {canceled, lab.Config{}},
		"rules":      {t.Context(), lab.Config{Rules: 99}},
		"apply":      {t.Context(), lab.Config{Apply: 99}},
		"port taken": {t.Context(), lab.Config{AppPort: lab.PortInbound}},
		"port wrong": {t.Context(), lab.Config{AppPort: 70000}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := lab.New(c.ctx, c.config)
			if err == nil {
				_ = l.Close()
				t.Fatal("New succeeded")
			}
			t.Log(err)
			if got := left(t, mine()); got != nil {
				t.Errorf("left: %q", got)
			}
		})
	}
}

// TestTwoLabs has two at once, with the same addresses.
func TestTwoLabs(t *testing.T) {
	a, b := labtest.New(t, lab.Config{}), labtest.New(t, lab.Config{Rules: lab.Article})
	if a.App.NS.ID() == b.App.NS.ID() {
		t.Error("two labs share a namespace")
	}
	if err := lab.CleanStale(); err != nil {
		t.Error(err)
	}
	for _, l := range []*lab.Lab{a, b} {
		cases()["self-service"].check(t, l)
	}
}

// ownerEnv makes the test binary an owner that waits to be killed.
const ownerEnv = "ICAP_LAB_TEST_OWNER"

func ownUntilKilled() {
	l, err := lab.New(context.Background(), lab.Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(pids(l))
	time.Sleep(time.Minute)
	os.Exit(1)
}

func TestKilledOwner(t *testing.T) {
	labtest.Need(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), ownerEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	var stands [5]int
	if _, err := fmt.Sscanf(line, "[%d %d %d %d %d]", &stands[0], &stands[1], &stands[2], &stands[3], &stands[4]); err != nil {
		t.Fatalf("owner said %q, %v", line, readErr)
	}
	theirs := fmt.Sprintf("icap-lab-%d-", cmd.Process.Pid)
	if got := left(t, theirs); len(got) != 8 {
		t.Errorf("got %d names and mounts of a killed owner, want 4 of each: %q", len(got), got)
	}
	if err := lab.CleanStale(); err != nil {
		t.Error(err)
	}
	if got := left(t, theirs); got != nil {
		t.Errorf("left: %q", got)
	}
	deadline := time.Now().Add(2 * time.Second)
	for _, pid := range stands {
		for running(pid) && !zombie(pid) && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
		if running(pid) && !zombie(pid) {
			t.Errorf("process %d outlived its owner", pid)
		}
	}
}

// zombie reports whether a process has ended and is not reaped: its new
// parent is not ours to hurry.
func zombie(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(b), ") Z ")
}
