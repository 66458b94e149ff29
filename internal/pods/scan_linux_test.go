package pods

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// A node is a fake /proc with the other directories of a Scanner.
type node struct {
	t   testing.TB
	dir string
}

func newNode(t *testing.T) node {
	n := node{t, t.TempDir()}
	for _, d := range []string{"proc", "logs", "netns"} {
		if err := os.Mkdir(filepath.Join(n.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n node) scanner() Scanner {
	return Scanner{
		Proc:    filepath.Join(n.dir, "proc"),
		PodLogs: filepath.Join(n.dir, "logs"),
		Netns:   filepath.Join(n.dir, "netns"),
	}
}

func (n node) write(path, content string) {
	n.t.Helper()
	path = filepath.Join(n.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// inode makes a file that stands for a namespace, and returns its inode.
func (n node) inode(netns string) uint64 {
	n.t.Helper()
	path := filepath.Join("netns", netns)
	if _, err := os.Stat(filepath.Join(n.dir, path)); err != nil {
		n.write(path, "")
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(n.dir, path), &st); err != nil {
		n.t.Fatal(err)
	}
	return st.Ino
}

// process adds a process that started at PID*100 ticks.
func (n node) process(pid int, command, cgroup, netns string, files map[string]string) Process {
	n.t.Helper()
	dir := fmt.Sprintf("proc/%d/", pid)
	flags := "4194560"
	if strings.HasPrefix(command, "k") {
		flags = "2129984"
	}
	n.write(dir+"stat", fmt.Sprintf("%d (%s) S 1 1 1 0 -1 %s 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", pid, command, flags, pid*100))
	n.write(dir+"status", "Name:\tx\nUid:\t0\t1337\t0\t0\n")
	n.write(dir+"cgroup", cgroup)
	for name, content := range files {
		n.write(dir+name, content)
	}
	n.inode(netns)
	if err := os.Mkdir(filepath.Join(n.dir, dir, "ns"), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Link(filepath.Join(n.dir, "netns", netns), filepath.Join(n.dir, dir, "ns/net")); err != nil {
		n.t.Fatal(err)
	}
	return Process{PID: pid, Start: uint64(pid) * 100, Command: command, UID: 1337, ContainerID: parseCgroup(cgroup).containerID}
}

func uidOf(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012x", i) }

func cgroupOf(pod, container int) string {
	return fmt.Sprintf("0::/kubepods/burstable/pod%s/%064x\n", uidOf(pod), container)
}

// fill makes a node with pods of every sort, and returns what Scan should say.
func fill(n node) []Pod {
	host := n.inode("host")
	n.process(2, "kthreadd", "0::/\n", "host", nil)
	n.process(3, "kworker/0:1", "0::/\n", "host", nil)
	systemd := n.process(1, "systemd", "0::/init.scope\n", "host", nil)

	// The kubelet tells the names of pod 1. The runtime's own process in the
	// pod's cgroup was there first; an inner runtime's came last.
	n.write("logs/shop_web-0_"+uidOf(1)+"/app/0.log", "")
	n.write("logs/not a pod/0.log", "")
	shim := n.process(90, "shim", "0::/kubepods/burstable/pod"+uidOf(1)+"\n", "host", nil)
	pause := n.process(100, "pause", cgroupOf(1, 0x100), "web", map[string]string{"root/etc/hostname": "liar\n"})
	app := n.process(101, "a b) (c", cgroupOf(1, 0x101), "web", nil)
	inner := n.process(102, "dind", cgroupOf(1, 0x102), "inner", nil)

	// Pod 2 tells by its hostname and its proxy, which knows the name in full.
	long := strings.Repeat("a", 63)
	app2 := n.process(200, "app", cgroupOf(2, 0x200), "two", map[string]string{"root/etc/hostname": long})
	proxy := n.process(201, "pilot-agent", cgroupOf(2, 0x201), "two", map[string]string{
		"environ": "A=1\x00POD_NAME=" + long + "bcd\x00POD_NAMESPACE=shop\x00",
	})

	// Pod 3 tells nothing that is valid, and its hostname is a link out of it.
	n.write("secret", "secret")
	bad := n.process(300, "envoy", cgroupOf(3, 0x300), "three", map[string]string{
		"environ": "POD_NAME=../../etc\x00POD_NAMESPACE=a\x1b[31m\x00", "root/etc/passwd": "",
	})
	if err := os.Symlink(filepath.Join(n.dir, "secret"), filepath.Join(n.dir, "proc/300/root/etc/hostname")); err != nil {
		n.t.Fatal(err)
	}

	// Pod 4 has the network and the hostname of the node. Two processes have
	// a namespace without a pod.
	onHost := n.process(400, "node-agent", cgroupOf(4, 0x400), "host", map[string]string{"root/etc/hostname": "node-1\n"})
	blue := n.process(500, "nc", "0::/user.slice\n", "blue", nil)

	// These vanish, or are no processes.
	n.write("proc/600/stat", "")
	if err := os.Remove(filepath.Join(n.dir, "proc/600/stat")); err != nil {
		n.t.Fatal(err)
	}
	n.write("proc/sys/kernel", "")
	n.write("proc/0/stat", "0 (x)")

	pod := func(name, ns string, i int, netns string, p ...Process) Pod {
		return Pod{Name: name, Namespace: ns, UID: uidOf(i), Inode: n.inode(netns), Netns: netns, Host: netns == "host", Processes: p}
	}
	return []Pod{
		pod("", "", 3, "three", bad),
		pod("", "", 4, "host", onHost),
		pod(long+"bcd", "shop", 2, "two", app2, proxy),
		pod("web-0", "shop", 1, "web", pause, app),
		{Inode: host, Netns: "host", Host: true, Processes: []Process{systemd, shim}},
		{Inode: n.inode("inner"), Netns: "inner", Processes: []Process{inner}},
		{Inode: n.inode("blue"), Netns: "blue", Processes: []Process{blue}},
	}
}

func TestScan(t *testing.T) {
	n := newNode(t)
	want := fill(n)
	got, err := n.scanner().Scan()
	if err != nil {
		t.Fatal(err)
	}
	byUIDAndInode := cmpopts.SortSlices(func(a, b Pod) bool {
		return a.UID < b.UID || a.UID == b.UID && a.Inode < b.Inode
	})
	if d := cmp.Diff(want, got, byUIDAndInode); d != "" {
		t.Errorf("Scan (-want +got):\n%s", d)
	}
	const known = 4 // those without a pod stand in the order of their inodes
	for i, w := range want[:known] {
		if got[i].Title() != w.Title() {
			t.Errorf("pod %d is %s, want %s", i, got[i].Title(), w.Title())
		}
	}
}

// TestScanAll has the names without a process at the end.
func TestScanAll(t *testing.T) {
	n := newNode(t)
	want := fill(n)
	want = append(want, Pod{Inode: n.inode("empty"), Netns: "empty"}, Pod{Inode: n.inode("void"), Netns: "void"})
	got, err := n.scanner().ScanAll()
	if err != nil || len(got) != len(want) {
		t.Fatalf("ScanAll: %d namespaces, %v, want %d", len(got), err, len(want))
	}
	if d := cmp.Diff(want[len(want)-2:], got[len(got)-2:]); d != "" {
		t.Errorf("ScanAll (-want +got):\n%s", d)
	}
}

func TestScanWithoutProc(t *testing.T) {
	s := Scanner{Proc: filepath.Join(t.TempDir(), "none")}
	if _, err := s.Scan(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Scan: %v", err)
	}
}

func TestResolve(t *testing.T) {
	n := newNode(t)
	want := fill(n)
	// A pod that was replaced by one of the same name, and one with a dot.
	n.write("logs/shop_twin_"+uidOf(7)+"/x", "")
	n.write("logs/shop_twin_"+uidOf(8)+"/x", "")
	n.write("logs/x_twin.shop_"+uidOf(9)+"/x", "")
	n.process(700, "pause", cgroupOf(7, 0x700), "t7", nil)
	n.process(800, "pause", cgroupOf(8, 0x800), "t8", nil)
	n.process(900, "pause", cgroupOf(9, 0x900), "t9", nil)
	n.inode("empty")
	at := func(file string) string { return filepath.Join(n.dir, file) }
	inode := func(file string) string { return "inode:" + strconv.FormatUint(n.inode(file), 10) }
	container := fmt.Sprintf("container:%064x", 0x101)

	for target, want := range map[string]Found{
		"shop/web-0":            {Title: "web-0.shop", Process: &want[3].Processes[0], Pod: &want[3]},
		"web-0.shop":            {Title: "web-0.shop", Process: &want[3].Processes[0], Pod: &want[3]},
		"web-0":                 {Title: "web-0.shop", Process: &want[3].Processes[0], Pod: &want[3]},
		inode("web"):            {Title: "web-0.shop", Process: &want[3].Processes[0], Pod: &want[3]},
		container:               {Title: "web-0.shop", Process: &want[3].Processes[1], Pod: &want[3]},
		"uid:" + uidOf(1):       {Title: "web-0.shop", Process: &want[3].Processes[0], Pod: &want[3]},
		"pid:101":               {Title: "pid:101", Process: &want[3].Processes[1], Pod: &want[3]},
		"pid:500":               {Title: "pid:500", Process: &want[6].Processes[0]},
		inode("three"):          {Title: "pod " + uidOf(3), Process: &want[0].Processes[0], Pod: &want[0]},
		inode("host"):           {Title: "host", Process: &want[4].Processes[0]},
		inode("blue"):           {Title: "netns:blue", Process: &want[6].Processes[0]},
		inode("empty"):          {Title: "netns:empty", Path: at("netns/empty")},
		"netns:empty":           {Title: "netns:empty", Path: at("netns/empty")},
		"netns:" + at("secret"): {Title: "netns:secret", Path: at("secret")},
		"empty":                 {Title: "netns:empty", Path: at("netns/empty")},
		"web":                   {Title: "netns:web", Path: at("netns/web")},
		"self":                  {Title: "self", Path: "/proc/self/ns/net"},
		"host":                  {Title: "host", Path: at("proc/2/ns/net")},
	} {
		parsed, err := ParseTarget(target)
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.scanner().Resolve(parsed)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Resolve %s (-want +got):\n%s", target, d)
		}
	}

	for target, want := range map[string]struct {
		kind error
		part string
	}{
		"shop/we":            {fs.ErrNotExist, "resolve shop/we: no pod or network namespace has that name; there are web-0.shop, "},
		"nothing":            {fs.ErrNotExist, "and 5 more"},
		"shop/twin":          {errAmbiguous, fmt.Sprintf("several pods have that name: twin.shop (inode:%d), twin.shop", n.inode("t7"))},
		"twin.shop":          {errAmbiguous, "twin.shop.x (inode:"},
		"pid:12345":          {fs.ErrNotExist, "resolve pid:12345: no such process"},
		"pid:600":            {fs.ErrNotExist, "no such process"},
		"inode:1":            {fs.ErrNotExist, "no process or file has that network namespace; there are "},
		"container:abcdef":   {fs.ErrNotExist, "no container has an ID that begins so; there are 000000000000"},
		"container:00000000": {errAmbiguous, "several containers have IDs that begin so: "},
		"uid:" + uidOf(0xff): {fs.ErrNotExist, "no process is in a cgroup of that pod"},
		"label:app=web":      {errors.ErrUnsupported, "resolve label:app=web"},
		"netns:none":         {fs.ErrNotExist, "none; there are blue, "},
		"netns:/none/at/all": {fs.ErrNotExist, "no network namespace at /none/at/all"},
	} {
		parsed, err := ParseTarget(target)
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.scanner().Resolve(parsed)
		if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.part) {
			t.Errorf("Resolve %s: %v\nwant %v with %q", target, err, want.kind, want.part)
		}
	}
}

// TestHostUnknown is a container with a PID namespace of its own.
func TestHostUnknown(t *testing.T) {
	n := newNode(t)
	n.process(1, "app", "0::/\n", "x", nil)
	if _, err := n.scanner().Resolve(Target{Kind: Host}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resolve host: %v", err)
	}
}

// TestHostnamePipe must not hang on a pipe in place of the file.
func TestHostnamePipe(t *testing.T) {
	n := newNode(t)
	n.process(10, "app", cgroupOf(1, 1), "x", map[string]string{"root/etc/passwd": ""})
	if err := syscall.Mkfifo(filepath.Join(n.dir, "proc/10/root/etc/hostname"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := n.scanner().Scan()
	if err != nil || len(got) != 1 || got[0].Name != "" {
		t.Errorf("Scan = %+v, %v", got, err)
	}
}
