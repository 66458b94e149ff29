package main

import (
	"strings"
	"testing"
)

func TestConfinement(t *testing.T) {
	for label, want := range map[string]string{
		"":                                       "",
		"unconfined\n":                           "",
		"cri-containerd.apparmor.d (enforce)\n":  "AppArmor profile cri-containerd.apparmor.d",
		"cri-containerd.apparmor.d (complain)\n": "",
		"system_u:system_r:container_t:s0:c14,c72\x00":              "SELinux refuses it to the type container_t",
		"system_u:system_r:spc_t:s0\x00":                            "",
		"unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\x00": "",
	} {
		got := confinement(label)
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}
