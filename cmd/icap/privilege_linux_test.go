package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
	"icap/internal/sandbox"
)

// TestCapabilitiesOneByOne captures with exactly the capabilities that each way
// takes, as root and as another user, and then without each of them.
func TestCapabilitiesOneByOne(t *testing.T) {
	w := newWire(t)
	stranger := exec.Command("sleep", "100")
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4321, Gid: 4321}}
	if err := w.b.Do(stranger.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = stranger.Process.Kill(), stranger.Wait() })
	program := icap(t)
	readable(t, program)
	for _, way := range []struct {
		name  string
		takes []sandbox.Capability
		args  []string
	}{
		{"in the pod", []sandbox.Capability{sandbox.NetRaw}, []string{"-i", "lo"}},
		{"by the file of a namespace", []sandbox.Capability{sandbox.NetRaw, sandbox.SysAdmin}, []string{"--netns", w.b.String(), "-i", "vb"}},
		{"by a process of another user", []sandbox.Capability{sandbox.NetRaw, sandbox.SysAdmin, sandbox.SysPtrace},
			[]string{"pod", fmt.Sprintf("pid:%d", stranger.Process.Pid)}},
	} {
		for _, uid := range []int{0, nobody} {
			args := append(slices.Clone(way.args), "--duration", "100ms")
			t.Run(fmt.Sprintf("%s as %d", way.name, uid), func(t *testing.T) {
				if code, out := runWith(t, program.Path, uid, way.takes, args); code != exitDone {
					t.Errorf("with %v: exit code %d\n%s", way.takes, code, out)
				}
				for i, missing := range way.takes {
					rest := slices.Delete(slices.Clone(way.takes), i, i+1)
					code, out := runWith(t, program.Path, uid, rest, args)
					p := privileges[slices.IndexFunc(privileges, func(p privilege) bool { return p.capability == missing })]
					if code != exitPrivilege || !strings.Contains(out, missing.String()+" is needed to "+p.needed) || !strings.Contains(out, p.profile) {
						t.Errorf("without %s: exit code %d, want %d with its name, what it is for, and %q:\n%s", missing, code, exitPrivilege, p.profile, out)
					}
				}
			})
		}
	}
}

// runWith runs a program as a user with some capabilities and no others.
func runWith(t *testing.T, path string, uid int, caps []sandbox.Capability, args []string) (code int, out string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	if uid == 0 {
		// Whatever the bounding set has, root gets.
		bounds := "-all"
		for _, c := range caps {
			bounds += ",+" + strings.ToLower(strings.TrimPrefix(c.String(), "CAP_"))
		}
		cmd = exec.Command("setpriv", append([]string{"--bounding-set", bounds, "--inh-caps", "-all", path}, args...)...)
		if _, err := exec.LookPath("setpriv"); err != nil {
			labtest.Skip(t, "needs setpriv")
		}
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		for _, c := range caps {
			cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, uintptr(c))
		}
	}
	text, _ := cmd.CombinedOutput() // the code tells
	return cmd.ProcessState.ExitCode(), string(text)
}

// TestPrivilegesHaveNumbers holds the numbers against the kernel's.
func TestPrivilegesHaveNumbers(t *testing.T) {
	for c, want := range map[sandbox.Capability]int{
		sandbox.DACOverride: unix.CAP_DAC_OVERRIDE, sandbox.DACReadSearch: unix.CAP_DAC_READ_SEARCH, sandbox.NetAdmin: unix.CAP_NET_ADMIN,
		sandbox.NetRaw: unix.CAP_NET_RAW, sandbox.SysPtrace: unix.CAP_SYS_PTRACE, sandbox.SysAdmin: unix.CAP_SYS_ADMIN,
	} {
		if int(c) != want || c.String() == "" {
			t.Errorf("%s is %d, want %d", c, c, want)
		}
	}
}
