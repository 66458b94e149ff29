package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
)

// diagnose runs icap doctor in a mount namespace of its own, behind commands, the
// last of which becomes it, and returns its findings.
func diagnose(t *testing.T, code int, shell string, args ...string) map[string]finding {
	t.Helper()
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-ec", shell + ` "$@"`, "sh", "icap", "doctor", "-o", "json"}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, _ := cmd.Output() // the code tells
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s: exit code %d, want %d\n%s", shell, got, code, said.String())
	}
	var findings []finding
	if err := json.Unmarshal(out, &findings); err != nil {
		t.Fatalf("%s: %v\n%s%s", shell, err, out, said.String())
	}
	all := make(map[string]finding)
	for _, f := range findings {
		all[f.Name] = f
	}
	return all
}

// TestDoctorMounts mounts what containers and hardened nodes have mounted, in
// mount namespaces of its own.
func TestDoctorMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		labtest.Skip(t, "needs root")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"proc", "volume", "netns", "empty", "e\x1b[2J"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const nobody = "exec setpriv --reuid 65534 --clear-groups --inh-caps -all"
	for _, test := range []struct {
		name, shell string
		args        []string
		code        int
		row         string
		want        health
		says        string // what was found, and the advice
	}{
		{"as it is", "", nil, exitDone, "processes", fine, "those of the node, in /proc"},
		{"hidden", "mount -t proc -o hidepid=2 proc DIR/proc;" + nobody,
			[]string{"--proc-root", "DIR/proc"}, exitPrivilege, "processes", limited, "hidepid=invisible; pods of other users are not found without CAP_SYS_PTRACE"},
		{"hidden, but not from root", "mount -t proc -o hidepid=2 proc DIR/proc;", []string{"--proc-root", "DIR/proc"}, exitDone, "processes", fine, "in DIR/proc, hidepid=invisible"},
		{"container", "mount --bind /proc DIR/proc; mount -t tmpfs tmpfs /run; exec unshare -pf --mount-proc", nil, exitDone, "processes", limited, "--proc-root DIR/proc"},
		{"container, hostile", "mount --bind /proc DIR/e?*J; exec unshare -pf --mount-proc", nil, exitDone, "processes", limited, "--proc-root DIR/e\\x1b[2J"},
		{"container without names", "mount -t tmpfs tmpfs /run; exec unshare -pf --mount-proc", nil, exitDone, "/run/netns", limited, "not there; mount the node's /run/netns"},
		{"names of nothing", "mount -t tmpfs tmpfs /run; mkdir /run/netns; touch /run/netns/cni-1;", nil, exitDone, "/run/netns", limited, "at 1 more names none is mounted"},
		{"no names", "mount -t tmpfs tmpfs /run;", nil, exitDone, "/run/netns", fine, "found by their processes"},
		{"logs", "mount -t tmpfs tmpfs /var/log; mkdir -p /var/log/pods/shop_web_1/app /var/log/pods/shop_db_2;", nil, exitDone, "/var/log/pods", fine, "logs of 2 pods"},
		{"no cgroups", "umount -l /sys/fs/cgroup;", nil, exitDone, "/sys/fs/cgroup", limited, "not mounted; the memory limit"},
		{"read-only root", "mount -o remount,bind,ro / || { mount --bind / /; mount -o remount,bind,ro /; };", []string{"-w", "/dev/shm/x.pcapng"}, exitDone, "root file system", fine, "read-only"},
		{"read-only directory", "mount -t tmpfs -o ro tmpfs DIR/volume;", []string{"-w", "DIR/volume/x.pcapng"}, exitFailed, "disk", broken, "DIR/volume: tmpfs"},
		{"memory", "mount -t tmpfs -o size=8m tmpfs DIR/volume;", []string{"-w", "DIR/volume/x.pcapng"}, exitDone, "disk", limited, "8.39 MB of 8.39 MB free, in memory; a capture takes memory there"},
		{"no directory", "", []string{"-w", "DIR/none/x.pcapng"}, exitFailed, "disk", broken, "DIR/none: not there"},
		{"current directory", "cd DIR/empty;", nil, exitDone, "disk", "", "DIR/empty: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := func(s string) string { return strings.ReplaceAll(s, "DIR", dir) }
			var args []string
			for _, a := range test.args {
				args = append(args, in(a))
			}
			f := diagnose(t, test.code, in(test.shell), args...)[test.row]
			if text := f.Found + "; " + f.Advice; test.want != "" && f.Health != test.want || !strings.Contains(text, in(test.says)) {
				t.Errorf("%+v", f)
			}
		})
	}
	if left, err := os.ReadDir(filepath.Join(dir, "empty")); err != nil || len(left) > 0 {
		t.Errorf("doctor leaves %v, %v", left, err)
	}
}

// TestDoctorDisk looks at a disk that takes O_DIRECT and is nearly full.
func TestDoctorDisk(t *testing.T) {
	dir := smallDisk(t)
	f := diagnose(t, exitDone, "", "-w", filepath.Join(dir, "x.pcapng"))["disk"]
	for _, want := range []string{"ext4", "takes O_DIRECT"} {
		if !strings.Contains(f.Found, want) {
			t.Errorf("no %q in %+v", want, f)
		}
	}
	if f.Health != limited || !strings.Contains(f.Advice, "--max-bytes") {
		t.Errorf("%+v", f)
	}
}

// TestDoctorMemory puts doctor into a cgroup with little memory.
func TestDoctorMemory(t *testing.T) {
	group := memoryGroup(t, 60<<20)
	f := diagnose(t, exitDone, "echo $$ >"+group+"/cgroup.procs;")["memory"]
	if f.Health != limited || !strings.Contains(f.Found, "the cgroup's limit is 60 MiB") || f.Advice == "" {
		t.Errorf("%+v", f)
	}
}

// memoryGroup makes a cgroup with a limit.
func memoryGroup(t *testing.T, bytes int) (path string) {
	t.Helper()
	root, limit := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if !exists(root) {
		root, limit = "/sys/fs/cgroup", "memory.max"
	}
	group, err := os.MkdirTemp(root, "icap-test-")
	if err != nil {
		labtest.Skip(t, "needs a cgroup for memory: "+err.Error())
	}
	t.Cleanup(func() {
		err := os.Remove(group)
		for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); err = os.Remove(group) {
			time.Sleep(10 * time.Millisecond) // until the process has left
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(group, limit), fmt.Append(nil, bytes), 0); err != nil {
		t.Fatal(err)
	}
	return group
}

// smallDisk mounts a file system of 64 MiB on a disk of its own.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	for _, args := range [][]string{
		{"truncate", "-s", "64m", image}, {"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, dir},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%q: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
