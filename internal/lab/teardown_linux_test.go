package lab_test

import (
	"bufio"
	"context"
	"encoding/json"
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
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// leftovers are what namespaces can leave behind. One that is mounted once
// can show twice where the directory and the mount below it are peers.
type leftovers struct {
	names, mounts []string
}

// left lists the namespaces whose names hold a word.
func left(t *testing.T, word string) leftovers {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(nsswitch.Dir, "*"+word+"*"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var mounts []string
	for line := range strings.Lines(string(info)) {
		if strings.Contains(line, word) {
			mounts = append(mounts, line)
		}
	}
	return leftovers{names, mounts}
}

func (l leftovers) none() bool { return len(l.names) == 0 && len(l.mounts) == 0 }

// whole reports whether this is all that a lab consists of.
func (l leftovers) whole() bool { return len(l.names) == 4 && len(l.mounts) >= 4 }

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
	if got := left(t, mine()); !got.whole() {
		t.Errorf("a lab has %q", got)
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
	if got := left(t, mine()); !got.none() {
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
		"tables":     {t.Context(), lab.Config{Rules: lab.TProxy, Apply: lab.NFTables}},
		"native":     {t.Context(), lab.Config{Rules: lab.Native, Apply: lab.IPTables}},
		"not native": {t.Context(), lab.Config{Apply: lab.NFT}},
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
			if got := left(t, mine()); !got.none() {
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

// TestDeadStandIn goes on without a stand-in that was killed, and gets rid of
// one that hangs.
func TestDeadStandIn(t *testing.T) {
	labtest.Need(t)
	l, err := lab.New(t.Context(), lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(l.Client.AppPID, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if x, err := l.Health(t.Context()); err == nil {
		t.Errorf("a dead client answers %+v", x)
	}
	cases()["self-service"].check(t, l)
	if err := syscall.Kill(l.App.ProxyPID, syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	awaitStopped(t, l.App.ProxyPID)
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "envoy of productpage") {
		t.Errorf("got %v, want that Envoy had to be killed", err)
	}
	if got := left(t, mine()); !got.none() {
		t.Errorf("left: %q", got)
	}
}

// awaitStopped waits until a process has taken note of SIGSTOP on all threads.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		stopped := 0
		for _, path := range stats {
			if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), ") T ") {
				stopped++
			}
		}
		if len(stats) > 0 && stopped == len(stats) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("process %d does not stop", pid)
}

// ownerEnv makes the test binary an owner that waits to be killed.
const ownerEnv = "ICAP_LAB_TEST_OWNER"

func ownUntilKilled() {
	l, err := lab.New(context.Background(), lab.Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(pids(l))
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
	var stands []int
	if err := json.Unmarshal([]byte(line), &stands); err != nil {
		t.Fatalf("owner said %q, %v", line, readErr)
	}
	theirs := fmt.Sprintf("icap-lab-%d-", cmd.Process.Pid)
	if got := left(t, theirs); !got.whole() {
		t.Errorf("a killed owner left %q", got)
	}
	if err := lab.CleanStale(); err != nil {
		t.Error(err)
	}
	if got := left(t, theirs); !got.none() {
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
