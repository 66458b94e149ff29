package main

import (
	"os"
	"strings"

	"icap/internal/sandbox"
)

// A privilege is a capability that icap has a use for.
type privilege struct {
	capability sandbox.Capability
	health     health // without it
	needed     string // to do what
	without    string
	profile    string // of kubectl debug, that has it
}

const (
	netadmin = "kubectl debug --profile=netadmin has it, and --profile=sysadmin"
	sysadmin = "kubectl debug node/NODE --profile=sysadmin has it"
)

// privileges are all of them, with what was measured of each.
var privileges = []privilege{
	{sandbox.NetRaw, broken, "open packet sockets", "no capture works", netadmin},
	{sandbox.SysAdmin, limited, "enter another network namespace",
		"no other network namespace can be entered: only this one can be captured", sysadmin},
	{sandbox.SysPtrace, limited, "find the network namespaces of other processes",
		"namespaces of other users' processes cannot be found; those in /run/netns can", sysadmin},
	{sandbox.NetAdmin, limited, "read redirect rules and conntrack",
		"redirect rules and conntrack cannot be read; legs go by the listening ports", netadmin},
	{sandbox.DACReadSearch, limited, "read the environment and the sockets of other users' processes",
		"names of pods from their environment, and owners of sockets, are not known", sysadmin},
}

// privilegeHint says what a missing privilege is for, and who has it.
func privilegeHint(err error) string {
	who := "run icap as root, or in Kubernetes: "
	if os.Geteuid() == 0 {
		who = "root has not got it here; in Kubernetes: "
	}
	for _, p := range privileges {
		if strings.Contains(err.Error(), p.capability.String()) {
			if by := confined(p.capability); by != "" {
				return p.capability.String() + " is needed to " + p.needed + ", and " + by
			}
			return p.capability.String() + " is needed to " + p.needed + ": " + who + p.profile
		}
	}
	return who + strings.TrimSuffix(sysadmin, " has it")
}
