package main

import (
	"os"
	"strconv"

	"icap/internal/sandbox"
)

// confined is confinement of this process where it has a capability and is
// refused all the same.
func confined(c sandbox.Capability) string {
	caps, err := strconv.ParseUint(readStatus()["CapEff"], 16, 64)
	if err != nil || caps>>c&1 == 0 {
		return ""
	}
	label, err := os.ReadFile("/proc/self/attr/current")
	if err != nil {
		return "" // no such module
	}
	return confinement(string(label))
}
