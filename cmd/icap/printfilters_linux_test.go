package main

import (
	"os/exec"
	"strings"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestPrintFilters prints filters without a packet socket: without the
// privilege to open one.
func TestPrintFilters(t *testing.T) {
	for _, c := range []struct {
		rules lab.Rules
		args  []string
		want  []string
	}{
		{lab.Today, []string{"--leg", "inbound-app"}, []string{
			"lo@netns:", "leg inbound-app: proxy and app, plaintext", "exactly, by addresses and ports",
			"filter: tcp and host 127.0.0.6\n", "in words:", "(000) ",
		}},
		{lab.Today, []string{"--leg", "outbound-wire", "port", "443"}, []string{
			"eth0@netns:", "not exactly", "filter: (tcp) and (port 443)\n",
		}},
		{lab.TProxy, nil, []string{
			"on a socket of its own: packets with no mark 0x539 or 0x53a\n",
			"packets with mark 0x539\n", "packets with mark 0x53a and no mark 0x539\n", "filter: everything\n",
		}},
		{lab.Ambient, []string{"--leg", "self"}, []string{"packets with mark 0x539/0xfff or 0x111/0xfff\n"}},
	} {
		t.Run(c.rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: c.rules})
			if _, err := exec.LookPath("setpriv"); err != nil {
				labtest.Skip(t, "needs setpriv")
			}
			args := append([]string{"--bounding-set=-net_raw", icap(t).Path, "pod", "netns:" + l.App.Netns, "--print-filters"}, c.args...)
			out, err := exec.Command("setpriv", args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			got := string(out)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// TestWithoutRules goes by the listeners where the rules may not be read, and
// names the capability that is missing.
func TestWithoutRules(t *testing.T) {
	if _, err := exec.LookPath("setpriv"); err != nil {
		labtest.Skip(t, "needs setpriv")
	}
	for rules, want := range map[lab.Rules][]string{
		lab.Today:   {"CAP_NET_ADMIN", "taken from the listening ports", "sidecar by REDIRECT, outbound to port 15001, inbound to port 15006, proxy uid 1337", "older than the capture could not be read"},
		lab.Ambient: {"CAP_NET_ADMIN", "ambient: the node's ztunnel", "not inbound port 15008"},
	} {
		l := labtest.New(t, lab.Config{Rules: rules})
		out, err := exec.Command("setpriv", "--bounding-set=-net_admin", icap(t).Path, "pod", "netns:"+l.App.Netns, "--print-filters").CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v", rules, err)
		}
		for _, want := range want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v: no %q in\n%s", rules, want, out)
			}
		}
	}
}
