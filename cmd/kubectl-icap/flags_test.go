package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestParseToleration(t *testing.T) {
	for text, want := range map[string]corev1.Toleration{
		"gpu":                 {Key: "gpu", Operator: corev1.TolerationOpExists},
		"gpu:NoSchedule":      {Key: "gpu", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
		"team=shop:NoExecute": {Key: "team", Value: "shop", Operator: corev1.TolerationOpEqual, Effect: corev1.TaintEffectNoExecute},
	} {
		if got, err := parseToleration(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "=x", ":NoSchedule", "gpu:Never"} {
		if got, err := parseToleration(text); exitCode(err) != exitUsage {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "64m": 64 << 20, "1G": 1 << 30, "256Mi": 256 << 20, "4096": 4096, "8k": 8 << 10} {
		if got, err := parseSize("-B", text); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "0", "much"} {
		if got, err := parseSize("-B", text); exitCode(err) != exitUsage {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

// TestCommand is what icap is called with on the nodes.
func TestCommand(t *testing.T) {
	c := capturing{legs: "inbound-app,outbound-app", ring: "64m", snaplen: 128, onlyLegs: [4]bool{0: true}}
	got, err := c.command("pod")
	if want := "pod --leg inbound-app,outbound-app --inbound --snapshot-length 128 --buffer-size 64m"; strings.Join(got, " ") != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	c.legs = "sideways"
	if _, err := c.command("pod"); exitCode(err) != exitUsage {
		t.Errorf("a leg that there is not: %v", err)
	}
}

// TestHelp has every command with kubectl's own flags.
func TestHelp(t *testing.T) {
	for _, name := range []string{"pod", "gateway", "flows", "events", "ls", "cleanup"} {
		cmd, _, err := newRoot().Find([]string{name})
		if err != nil || cmd.Name() != name {
			t.Fatalf("%s: %v", name, err)
		}
		for _, flag := range []string{"context", "kubeconfig", "as", "as-group", "namespace", "token", "server"} {
			if cmd.InheritedFlags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", name, flag)
			}
		}
	}
}
