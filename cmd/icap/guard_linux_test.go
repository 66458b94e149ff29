package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
	"icap/internal/sandbox"
)

// caps are the bits of capabilities, as in /proc/PID/status.
func caps(keep ...sandbox.Capability) (bits uint64) {
	for _, c := range keep {
		bits |= 1 << c
	}
	return bits
}

// TestSandbox looks at all threads and packet sockets of captures that run,
// and that they still capture and write what they should.
func TestSandbox(t *testing.T) {
	t.Parallel()
	all := caps(sandbox.NetRaw, sandbox.SysAdmin, sandbox.SysPtrace, sandbox.NetAdmin, sandbox.DACReadSearch)
	for _, test := range []struct {
		name   string
		args   []string // behind icap; NS and DIR are put in
		keeps  uint64
		helper uint64 // what the helper keeps, if there is one
		user   int
		open   bool // the filters are not locked
		says   string
		prints bool // there is no file
	}{
		{name: "one file", args: []string{"--netns", "NS", "-i", "vb", "-w", "DIR/out.pcapng"},
			says: "no file to be written but those that are open"},
		{name: "to a reader", args: []string{"--netns", "NS", "-i", "vb"}, prints: true},
		{name: "rotation", args: []string{"--netns", "NS", "-i", "vb", "-C", "20k", "-w", "DIR/out.pcapng"},
			says: "new files only in DIR"},
		{name: "rotation for nobody into root's directory", args: []string{"--netns", "NS", "-i", "vb", "-Z", "nobody", "-C", "20k", "-w", "DIR/out.pcapng"},
			keeps: caps(sandbox.DACOverride), user: nobody, says: "kept for new files in DIR"},
		{name: "one file for nobody", args: []string{"--netns", "NS", "-i", "vb", "-Z", "nobody", "-w", "DIR/out.pcapng"}, user: nobody},
		{name: "several rings", args: []string{"--netns", "NS", "-i", "vb", "--fanout", "2", "-w", "DIR/out.pcapng"},
			open: true, says: "without locked filters"},
		{name: "a key log", args: []string{"--netns", "NS", "-i", "vb", "--keylog", "DIR/keys", "-w", "DIR/out.pcapng"},
			keeps: caps(sandbox.DACReadSearch), says: "kept for the key log"},
		{name: "a key log in a pod", args: []string{"--netns", "NS", "-i", "vb", "--keylog", "/proc/self/root/nokeys", "-w", "DIR/out.pcapng"},
			keeps: caps(sandbox.DACReadSearch, sandbox.SysPtrace), says: "without Landlock"},
		{name: "any", args: []string{"--netns", "NS", "-i", "any", "-w", "DIR/out.pcapng"},
			helper: caps(sandbox.NetRaw, sandbox.SysAdmin), says: "helper for interfaces that come (-i any)"},
		{name: "any, for nobody", args: []string{"--netns", "NS", "-i", "any", "-Z", "nobody", "-w", "DIR/out.pcapng"}, user: nobody,
			helper: caps(sandbox.NetRaw, sandbox.SysAdmin), says: "helper for interfaces that come (-i any)"},
		{name: "follow", args: []string{"pod", "netns:NS", "--follow", "-w", "DIR/out.pcapng"},
			helper: all, says: "helper for --follow"},
		{name: "follow, rotation", args: []string{"pod", "netns:NS", "--follow", "-C", "20k", "-w", "DIR/out.pcapng"},
			helper: all, says: "new files only in DIR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWire(t)
			dir := t.TempDir()
			fill := strings.NewReplacer("NS", w.b.String(), "DIR", dir)
			for i := range test.args {
				test.args[i] = fill.Replace(test.args[i])
			}
			p := start(t, nil, listening, icap(t, append(test.args, "udp")...))
			if !strings.Contains(p.text(), "icap: sandbox: ") || !strings.Contains(p.text(), fill.Replace(test.says)) {
				t.Errorf("no %q in\n%s", test.says, p.text())
			}
			helpers := helpersOf(t, p.Process.Pid)
			if got, want := len(helpers), min(test.helper, 1); uint64(got) != want {
				t.Errorf("%d helpers, want %d", got, want)
			}
			for pid, keeps := range map[int]uint64{p.Process.Pid: test.keeps, slices.Max(append(helpers, 0)): test.helper} {
				want := fmt.Sprintf("Uid=%d CapInh=0 CapPrm=%x CapEff=%[2]x CapBnd=0 CapAmb=0 NoNewPrivs=1 Seccomp=2", test.user, keeps)
				for _, got := range rightsOf(t, pid) {
					if got != want {
						t.Errorf("a thread has %s, want %s", got, want)
					}
				}
			}
			sockets := packetSocketsOf(t, p.Process.Pid)
			for _, fd := range sockets {
				if locked, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER); err != nil || locked == 1 == test.open {
					t.Errorf("SO_LOCK_FILTER is %d, %v", locked, err)
				}
			}
			if len(sockets) == 0 {
				t.Error("no packet socket")
			}
			w.send(t, 500, 200)
			if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), "500 packets captured\n500 packets received") {
				t.Errorf("exit code %d\n%s", code, p.text())
			}
			files, err := filepath.Glob(filepath.Join(dir, "out*"))
			if err != nil || (len(files) == 0) != test.prints || strings.Contains(strings.Join(test.args, " "), "-C") && len(files) < 5 {
				t.Errorf("files %q, %v", files, err)
			}
			for _, file := range files {
				if st, err := os.Stat(file); err != nil || int(st.Sys().(*syscall.Stat_t).Uid) != test.user || st.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", file, st, err)
				}
			}
		})
	}
}

// helpersOf are the processes that a process has started.
func helpersOf(t *testing.T, pid int) (pids []int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("children of %d: %v", pid, err)
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // the thread may have ended
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

// rightsOf are those of the threads of a process, none for process 0.
func rightsOf(t *testing.T, pid int) []string {
	t.Helper()
	if pid == 0 {
		return nil
	}
	return threadRights(t, pid)
}

// TestNoSandbox keeps everything.
func TestNoSandbox(t *testing.T) {
	w := newWire(t)
	p := w.capture(t, "--no-sandbox", "-w", temp(t, "out.pcapng"))
	for _, got := range threadRights(t, p.Process.Pid) {
		if strings.Contains(got, "CapEff=0 ") || !strings.HasSuffix(got, "NoNewPrivs=0 Seccomp=0") {
			t.Errorf("a thread has %s", got)
		}
	}
	for _, fd := range packetSocketsOf(t, p.Process.Pid) {
		if locked, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER); err != nil || locked != 0 {
			t.Errorf("SO_LOCK_FILTER is %d, %v", locked, err)
		}
	}
	w.send(t, 5, 100)
	if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), "sandbox: off") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
}

// threadRights are those of each thread of a process.
func threadRights(t *testing.T, pid int) (all []string) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("threads of %d: %v", pid, err)
	}
	right := regexp.MustCompile(`(?m)^(Uid|Cap\w+|NoNewPrivs|Seccomp):\t0*([0-9a-f]+)`)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		var set []string
		for _, m := range right.FindAllStringSubmatch(string(text), -1) {
			set = append(set, m[1]+"="+m[2])
		}
		all = append(all, strings.Join(set, " "))
	}
	return all
}

// packetSocketsOf are duplicates of those of a process.
func packetSocketsOf(t *testing.T, pid int) []int { return socketsOf(t, pid, unix.AF_PACKET) }

// socketsOf are duplicates of those of a family that a process has.
func socketsOf(t *testing.T, pid, family int) (fds []int) {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	for n := range 64 {
		fd, err := unix.PidfdGetfd(process, n, 0)
		if errors.Is(err, unix.EBADF) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil || domain != family {
			_ = unix.Close(fd)
			continue
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		fds = append(fds, fd)
	}
	return fds
}

// TestEscape has it try what the sandbox is against.
func TestEscape(t *testing.T) {
	labtest.Need(t)
	path, err := exec.LookPath("icap-escape")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(path, dir, temp(t, "elsewhere"))
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "packet socket: -1 operation not permitted\nwrite: true <nil>\nwrite elsewhere: false true\nexecute: true\n"
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}
