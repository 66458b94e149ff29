package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
)

// An order is what a child process puts itself into before it tries to get out.
type order struct {
	Layer  string // only this one, "" for all
	Config Config
	Dir    string // that may be written
	Other  string // that may not
	Try    []string
}

// orderEnv makes the test binary a child.
const orderEnv = "ICAP_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if text := os.Getenv(orderEnv); text != "" {
		os.Exit(child(text))
	}
	os.Exit(m.Run())
}

// A finding is what a child says.
type finding struct {
	Layers  Layers
	Tried   map[string]syscall.Errno
	Threads []string // how their rights differ from those wanted
}

func child(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop := make(chan struct{})
	for range 4 { // threads that are there before
		go func() {
			runtime.LockOSThread()
			<-stop
		}()
	}
	var f finding
	var err error
	switch o.Layer {
	case "":
		f.Layers, err = Enter(o.Config)
	case "capabilities":
		dropBounds()
		_, err = dropCapabilities(nil)
	case "landlock":
		err = errors.Join(noNewPrivileges(), landlock([]string{o.Dir}, nil))
	case "seccomp":
		err = errors.Join(noNewPrivileges(), filterCalls(false, false))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	f.Tried = make(map[string]syscall.Errno)
	for _, name := range o.Try {
		done := make(chan error)
		go func() { // mostly on another thread
			runtime.LockOSThread()
			done <- escapes[name](&o)
		}()
		var errno syscall.Errno
		if err := <-done; err != nil && !errors.As(err, &errno) {
			errno = unix.EIO
		}
		f.Tried[name] = errno
	}
	f.Threads = rights()
	close(stop)
	runtime.GC()
	if err := json.NewEncoder(os.Stdout).Encode(&f); err != nil {
		return 1
	}
	return 0
}

// escapes are what somebody who has taken over a process would try. Some are
// what it has to be able to do.
var escapes = map[string]func(*order) error{
	"packet socket": func(*order) error { return open(unix.AF_PACKET) },
	"TCP socket":    func(*order) error { return open(unix.AF_INET) },
	"execute":       func(*order) error { return unix.Exec("/bin/true", []string{"true"}, nil) },
	"process":       func(*order) error { return fork() },
	"write":         func(o *order) error { return write(filepath.Join(o.Dir, "new")) },
	"write below":   func(o *order) error { return write(filepath.Join(o.Dir, "below", "new")) },
	"write outside": func(o *order) error { return write(filepath.Join(o.Other, "new")) },
	"overwrite":     func(o *order) error { return write(filepath.Join(o.Other, "there")) },
	"truncate":      func(o *order) error { return os.Truncate(filepath.Join(o.Other, "there"), 0) },
	"remove":        func(o *order) error { return os.Remove(filepath.Join(o.Dir, "there")) },
	"link": func(o *order) error {
		return os.Symlink("/etc/passwd", filepath.Join(o.Dir, "link"))
	},
	"read":        func(*order) error { _, err := os.ReadFile("/etc/passwd"); return err },
	"look around": func(*order) error { _, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", os.Getppid())); return err },
	"trace":       func(*order) error { return unix.PtraceAttach(os.Getppid()) },
	"signal":      func(*order) error { return unix.Kill(os.Getppid(), 0) },
	"namespace":   func(*order) error { return unix.Unshare(unix.CLONE_NEWNS) },
	"mount":       func(o *order) error { return unix.Mount("none", o.Dir, "tmpfs", 0, "") },
	"user":        func(*order) error { return unix.Setresuid(1, 1, 1) },
	"type": func(*order) error {
		_, err := unix.IoctlGetInt(0, unix.TIOCSTI)
		return err
	},
	"filter": func(*order) error {
		attr := make([]byte, 128)
		_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr[0])), uintptr(len(attr)))
		return nonzero(errno)
	},
	"other ABI": func(*order) error {
		_, _, errno := unix.RawSyscall(unix.SYS_GETPID|x32Bit, 0, 0, 0)
		return nonzero(errno)
	},
}

func nonzero(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

func open(family int) error {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

// fork makes a process as fork(2) does, whose child ends at once.
func fork() error {
	attr := &syscall.ProcAttr{}
	pid, err := syscall.ForkExec("/bin/true", []string{"true"}, attr)
	if err == nil {
		_, err = syscall.Wait4(pid, nil, 0, nil)
	}
	return err
}

func write(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		err = f.Close()
	}
	return err
}

// rights are what the threads have, each different set once.
func rights() (all []string) {
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var set []string
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			switch name {
			case "Uid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp":
				set = append(set, name+"="+strings.Join(strings.Fields(value), ","))
			}
		}
		if one := strings.Join(set, " "); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// run has a child try, and compares with what must be refused; all else that
// is tried must work.
func run(t *testing.T, o order, refused map[string]syscall.Errno, works ...string) finding {
	t.Helper()
	labtest.Need(t)
	o.Try = append(slices.Sorted(maps.Keys(refused)), works...)
	text, err := json.Marshal(&o)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), orderEnv+"="+string(text))
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var f finding
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	for _, name := range o.Try {
		if got, want := f.Tried[name], refused[name]; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	return f
}

// folders are one to write in and one not to, with a file each.
func folders(t *testing.T) (dir, other string) {
	t.Helper()
	dir, other = t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(dir, "there"), filepath.Join(other, "there")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, other
}

const noRights = "CapInh=0000000000000000 CapPrm=0000000000000000 CapEff=0000000000000000 CapBnd=0000000000000000 CapAmb=0000000000000000 NoNewPrivs=1 Seccomp=2"

// TestEscape tries all of the sandbox.
func TestEscape(t *testing.T) {
	dir, other := folders(t)
	f := run(t, order{Config: Config{Write: []string{dir}}, Dir: dir, Other: other}, map[string]syscall.Errno{
		"packet socket": unix.EPERM, "TCP socket": unix.EPERM, "execute": unix.EPERM, "process": unix.EPERM,
		"write outside": unix.EACCES, "overwrite": unix.EACCES, "link": unix.EPERM, "look around": unix.EACCES,
		"trace": unix.EPERM, "signal": unix.EPERM, "namespace": unix.EPERM, "mount": unix.EPERM, "user": unix.EPERM,
		"type": unix.EPERM, "filter": unix.EPERM, "other ABI": unix.EPERM,
	}, "write", "write below", "remove", "read")
	if len(f.Layers.Off) > 0 {
		t.Errorf("layers: %s", f.Layers)
	}
	if want := "Uid=0,0,0,0 " + noRights; len(f.Threads) != 1 || f.Threads[0] != want {
		t.Errorf("threads have %q, want %q", f.Threads, want)
	}
}

// TestLayersAlone shows that none relies on the others.
func TestLayersAlone(t *testing.T) {
	for layer, refused := range map[string]map[string]syscall.Errno{
		"capabilities": {"packet socket": unix.EPERM, "look around": unix.EACCES, "namespace": unix.EPERM, "mount": unix.EPERM, "trace": unix.EPERM, "user": unix.EPERM},
		"landlock":     {"write outside": unix.EACCES, "overwrite": unix.EACCES, "execute": unix.EACCES, "look around": unix.EACCES, "trace": unix.EPERM, "link": unix.EACCES, "mount": unix.EPERM},
		"seccomp":      {"packet socket": unix.EPERM, "execute": unix.EPERM, "process": unix.EPERM, "trace": unix.EPERM, "signal": unix.EPERM, "namespace": unix.EPERM, "mount": unix.EPERM, "filter": unix.EPERM},
	} {
		t.Run(layer, func(t *testing.T) {
			dir, other := folders(t)
			run(t, order{Layer: layer, Dir: dir, Other: other}, refused, "write", "remove", "read")
		})
	}
}

// TestKeep keeps what is needed to open packet sockets, and nothing else.
func TestKeep(t *testing.T) {
	dir, other := folders(t)
	c := Config{Keep: []Capability{NetRaw}, Open: true, Remove: []string{dir}}
	f := run(t, order{Config: c, Dir: dir, Other: other}, map[string]syscall.Errno{
		"execute": unix.EPERM, "write": unix.EACCES, "look around": unix.EACCES, "namespace": unix.EPERM,
	}, "packet socket", "TCP socket", "remove")
	if want := "CapEff=0000000000002000 "; len(f.Threads) != 1 || !strings.Contains(f.Threads[0], want) {
		t.Errorf("threads have %q, want %q", f.Threads, want)
	}
}

// TestLook keeps what is needed to look into other processes, at the cost of
// Landlock, which it says.
func TestLook(t *testing.T) {
	dir, other := folders(t)
	c := Config{Keep: []Capability{SysPtrace}, Look: true}
	f := run(t, order{Config: c, Dir: dir, Other: other}, map[string]syscall.Errno{
		"packet socket": unix.EPERM, "execute": unix.EPERM, "trace": unix.EPERM, "signal": unix.EPERM,
	}, "write outside")
	if len(f.Layers.Off) != 1 || !strings.HasPrefix(f.Layers.Off[0], "Landlock") {
		t.Errorf("layers: %s", f.Layers)
	}
}

// TestReadOnly opens and looks as a helper does, and changes no file.
func TestReadOnly(t *testing.T) {
	dir, other := folders(t)
	c := Config{Keep: []Capability{NetRaw, SysPtrace}, Look: true, Open: true, ReadOnly: true}
	run(t, order{Config: c, Dir: dir, Other: other}, map[string]syscall.Errno{
		"write": unix.EPERM, "write outside": unix.EPERM, "overwrite": unix.EPERM, "truncate": unix.EPERM, "remove": unix.EPERM, "link": unix.EPERM,
		"execute": unix.EPERM, "process": unix.EPERM, "trace": unix.EPERM, "signal": unix.EPERM, "mount": unix.EPERM, "user": unix.EPERM,
	}, "packet socket", "read", "look around")
}

// TestUser becomes nobody, and keeps the right to write in root's folder all
// the same, where that is wanted.
func TestUser(t *testing.T) {
	nobody, err := LookUpUser("nobody")
	if err != nil {
		t.Fatal(err)
	}
	dir, other := folders(t)
	c := Config{User: nobody, Write: []string{dir}}
	f := run(t, order{Config: c, Dir: dir, Other: other}, map[string]syscall.Errno{"write": unix.EACCES, "packet socket": unix.EPERM})
	if want := fmt.Sprintf("Uid=%d,%[1]d,%[1]d,%[1]d %s", nobody.UID, noRights); len(f.Threads) != 1 || f.Threads[0] != want {
		t.Errorf("threads have %q, want %q", f.Threads, want)
	}
	c.Keep = []Capability{DACOverride}
	run(t, order{Config: c, Dir: dir, Other: other}, map[string]syscall.Errno{"write outside": unix.EACCES, "packet socket": unix.EPERM}, "write")
}

func TestLookUpUser(t *testing.T) {
	byNumber, err := LookUpUser("0")
	if err != nil || byNumber.Name != "root" || byNumber.UID != 0 || byNumber.GID != 0 {
		t.Errorf("user 0 is %+v, %v", byNumber, err)
	}
	if u, err := LookUpUser("no such user"); err == nil {
		t.Errorf("found %+v", u)
	}
}

// TestMissing: what Enter can put on is not missing.
func TestMissing(t *testing.T) {
	dir, other := folders(t)
	f := run(t, order{Dir: dir, Other: other}, nil, "read")
	if got := Missing(); len(got) != len(f.Layers.Off) {
		t.Errorf("missing are %q; %s", got, f.Layers)
	}
}

func TestMayWrite(t *testing.T) {
	labtest.Need(t) // chown
	dir := t.TempDir()
	for _, c := range []struct {
		uid, gid int
		mode     uint32
		want     bool
	}{
		{1000, 1, 0o700, true}, {1000, 1, 0o577, false}, {1, 100, 0o770, true}, {1, 100, 0o757, false},
		{1, 1, 0o703, true}, {1, 1, 0o770, false}, {1000, 1, 0o200, false},
	} {
		if err := errors.Join(os.Chown(dir, c.uid, c.gid), unix.Chmod(dir, c.mode)); err != nil {
			t.Fatal(err)
		}
		if got := MayWrite(dir, &User{UID: 1000, Groups: []int{1000, 100}}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
