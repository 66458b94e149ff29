package main

import (
	"fmt"
	"strings"
)

// confinement says which security module of the kernel can refuse what the
// capabilities allow, and what to change, given what it calls this process in
// /proc/self/attr/current. It is empty where nothing confines it.
func confinement(label string) string {
	label = strings.TrimRight(label, "\x00\n")
	if profile, mode, ok := strings.Cut(label, " ("); ok {
		if mode != "enforce)" {
			return ""
		}
		return fmt.Sprintf("the AppArmor profile %s refuses it though the capability is there: "+
			"set appArmorProfile: {type: Unconfined} in the pod's securityContext, as deploy/node.yaml does", profile)
	}
	if context := strings.Split(label, ":"); len(context) >= 3 && context[2] != "spc_t" && context[2] != "unconfined_t" {
		return fmt.Sprintf("SELinux refuses it to the type %s though the capability is there: "+
			"set seLinuxOptions: {type: spc_t} in the pod's securityContext, as deploy/node.yaml does", context[2])
	}
	return ""
}
