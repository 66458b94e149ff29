//go:build !nodemo

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// TestDemo runs without iptables and tcpdump, and leaves nothing.
func TestDemo(t *testing.T) {
	labtest.Need(t)
	for _, rules := range []string{"today", "article", "dualstack"} {
		t.Run(rules, func(t *testing.T) {
			file := temp(t, "demo.pcapng")
			cmd := icap(t, "demo", "-w", file, "--rules", rules)
			hideTools(t, cmd)
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			if left := labs(t, cmd.Process.Pid); len(left) > 0 {
				t.Errorf("namespaces left: %v", left)
			}
			if err != nil || time.Since(begin) > 20*time.Second {
				t.Fatalf("%v after %v\n%s", err, time.Since(begin), out)
			}
			if !strings.Contains(string(out), "through nftables") {
				t.Errorf("the rules did not go in through nftables:\n%s", out)
			}
			for _, leg := range []string{"inbound-wire", "inbound-app", "outbound-app", "outbound-wire"} {
				if strings.Count(string(out), "\n  "+leg+" ") != 1 {
					t.Errorf("the request is not shown on %s:\n%s", leg, out)
				}
			}
			if got := readPcapng(t, file); got.total < 100 {
				t.Errorf("%d packets in the file", got.total)
			}
		})
	}
}

// hideTools runs a program where /usr/sbin, and so iptables, is not there.
func hideTools(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if path, err := exec.LookPath("iptables"); err == nil && filepath.Dir(path) != "/usr/sbin" {
		labtest.Skip(t, "needs iptables, if any, in /usr/sbin and not in "+filepath.Dir(path))
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		labtest.Skip(t, "needs unshare")
	}
	const hide = `mount -t tmpfs none /usr/sbin && exec "$@"`
	cmd.Args = append([]string{"unshare", "-m", "sh", "-c", hide, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = unshare
}

// labs are the names of namespaces that a process has made.
func labs(t *testing.T, pid int) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(nsswitch.Dir, fmt.Sprintf("icap-lab-%d-*", pid)))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
