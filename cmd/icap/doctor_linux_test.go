package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestDoctor takes capabilities away one by one.
func TestDoctor(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	target := "netns:" + l.App.Netns
	raw, admin, net := uintptr(unix.CAP_NET_RAW), uintptr(unix.CAP_SYS_ADMIN), uintptr(unix.CAP_NET_ADMIN)
	for _, test := range []struct {
		caps []uintptr
		args []string
		code int
		want map[string]health // of some findings
	}{
		{nil, nil, exitPrivilege, map[string]health{"TPACKET_V3 ring": broken, "CAP_NET_RAW": broken, "CAP_SYS_ADMIN": limited, "eBPF": limited}},
		{[]uintptr{raw}, nil, exitDone, map[string]health{"TPACKET_V3 ring": fine, "CAP_NET_RAW": fine, "CAP_NET_ADMIN": limited}},
		{[]uintptr{raw, unix.CAP_BPF, unix.CAP_PERFMON}, nil, exitDone, map[string]health{"eBPF": fine, "CAP_SYS_ADMIN": limited}},
		{[]uintptr{raw}, []string{target}, exitPrivilege, map[string]health{"target": broken}},
		{[]uintptr{raw, admin}, []string{target}, exitDone,
			map[string]health{"eBPF": fine, "target": fine, "ring in the target": fine, "mode of the target": limited}},
		{[]uintptr{raw, admin, net}, []string{target}, exitDone,
			map[string]health{"target": fine, "ring in the target": fine, "mode of the target": fine, "processes": fine}},
	} {
		t.Run(fmt.Sprint(test.caps, len(test.args)), func(t *testing.T) {
			cmd := icap(t, append([]string{"doctor", "-o", "json"}, test.args...)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: test.caps,
			}
			readable(t, cmd)
			out, _ := cmd.Output() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			var findings []finding
			if err := json.Unmarshal(out, &findings); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := make(map[string]health)
			for _, f := range findings {
				got[f.Name] = f.Health
				if f.Health == limited && f.Advice == "" && f.Name != "mode of the target" {
					t.Errorf("no advice: %+v", f)
				}
			}
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s is %q, want %q in\n%s", name, got[name], want, out)
				}
			}
		})
	}
	if text := output(t, "icap", "doctor", target); !strings.Contains(text, "sidecar by REDIRECT, outbound to port 15001") {
		t.Errorf("no mode in\n%s", text)
	}
}
