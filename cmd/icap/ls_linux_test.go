package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// list runs icap ls, behind a program with arguments if they are given.
func list(t *testing.T, before []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	args = append([]string{"ls"}, args...)
	cmd := icap(t, args...)
	if len(before) > 0 {
		cmd = exec.Command(before[0], slices.Concat(before[1:], []string{cmd.Path}, args)...)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// rowOf finds the row of a target in the output of -o json.
func rowOf(t *testing.T, out, target string) *lsRow {
	t.Helper()
	var rows []lsRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	for i := range rows {
		if rows[i].Target == target {
			return &rows[i]
		}
	}
	t.Fatalf("no %s in\n%s", target, out)
	return nil
}

// TestLs lists the pods of a lab with all that is known of them.
func TestLs(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Today, lab.Article} {
		t.Run(rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: rules})
			out, errs, code := list(t, nil, "-o", "json")
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, errs)
			}
			r := rowOf(t, out, "netns:"+l.App.Netns)
			if r.Role != "sidecar" || r.Mode != "REDIRECT" || r.Inode != l.App.NS.ID().Inode || !slices.Contains([]int{l.App.AppPID, l.App.ProxyPID}, r.PID) {
				t.Errorf("role %s, mode %s, inode %d, pid %d", r.Role, r.Mode, r.Inode, r.PID)
			}
			if !slices.Equal(r.ProxyUIDs, []uint32{uint32(l.App.ProxyUID)}) || !slices.Equal(r.AppPorts, []uint16{uint16(l.AppPort)}) {
				t.Errorf("proxy uid %v, app ports %v", r.ProxyUIDs, r.AppPorts)
			}
			if !slices.Contains(r.ProxyPorts, 15001) || !slices.Contains(r.ProxyPorts, 15006) || !slices.Contains(r.ProxyPorts, 15021) || slices.Contains(r.ProxyPorts, uint16(l.AppPort)) {
				t.Errorf("proxy ports %v", r.ProxyPorts)
			}
			i := slices.IndexFunc(r.Interfaces, func(i lsInterface) bool { return i.Name == "eth0" })
			if i < 0 || !slices.Contains(r.Interfaces[i].Addrs, netip.PrefixFrom(l.App.Addr, 24)) {
				t.Errorf("interfaces %v", r.Interfaces)
			}
			if r := rowOf(t, out, "netns:"+l.Client.Netns); r.Role != "plain" || r.Mode != "" || r.ProxyUIDs != nil || r.ProxyPorts != nil {
				t.Errorf("the client is %+v", r)
			}
		})
	}
}

// TestLsWithout names the capability that is missing, and lists what it can
// all the same.
func TestLsWithout(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	if _, err := exec.LookPath("setpriv"); err != nil {
		labtest.Skip(t, "needs setpriv")
	}
	for capability, row := range map[string]bool{"sys_admin": false, "sys_ptrace": true} {
		out, errs, _ := list(t, []string{"setpriv", "--bounding-set=-" + capability}, "-o", "json")
		if !strings.Contains(errs, "needs CAP_"+strings.ToUpper(capability)) {
			t.Errorf("without %s it does not say so:\n%s", capability, errs)
		}
		// Without CAP_SYS_PTRACE the file is still there to enter by, and
		// without CAP_SYS_ADMIN the addresses are still there to read.
		r := rowOf(t, out, "netns:"+l.App.Netns)
		if entered := len(r.Interfaces) > 0; entered != row {
			t.Errorf("without %s: %+v", capability, r)
		}
		table, _, _ := list(t, []string{"setpriv", "--bounding-set=-" + capability}, "-o", "wide")
		if !strings.Contains(table, l.App.Addr.String()) {
			t.Errorf("without %s: no address %v in\n%s", capability, l.App.Addr, table)
		}
	}
}

func TestLsUsage(t *testing.T) {
	if _, errs, code := list(t, nil, "-o", "yaml"); code != 2 || !strings.Contains(errs, `-o "yaml" is not table, wide or json`) {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// TestProcRoot finds and captures through a /proc that is mounted elsewhere, as
// in a container that has the root of the node.
func TestProcRoot(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	root, file := t.TempDir(), temp(t, "proc-root.pcapng")
	path, err := exec.LookPath("unshare")
	if err != nil {
		labtest.Skip(t, "needs unshare")
	}
	const script = `mkdir "$1/proc" && mount --bind /proc "$1/proc" && shift && exec "$@"`
	inode := fmt.Sprintf("inode:%d", l.App.NS.ID().Inode)
	cmd := icap(t, "pod", inode, "--proc-root", root+"/proc", "-w", file)
	cmd.Args = append([]string{"unshare", "--mount", "sh", "-c", script, "sh", root, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = path
	p := start(t, nil, listening+" eth0", cmd)
	if x, err := l.Inbound(t.Context(), false, "/through-proc-root"); err != nil || x.Status != 200 {
		t.Fatalf("%d %s %v", x.Status, x.Err, err)
	}
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if got := readPcapng(t, file); len(got.interfaces) < 2 {
		t.Errorf("%d packets on %d interfaces", got.total, len(got.interfaces))
	}
}
