package sandbox

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// capabilitySet is what capset(2) takes of version 3: 64 bits in two halves.
type capabilitySet [2]unix.CapUserData

// dropCapabilities drops all capabilities but those to keep, and says which of
// these were there.
func dropCapabilities(keep []Capability) (kept []Capability, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have, want capabilitySet
	if err := unix.Capget(&header, &have[0]); err != nil {
		return nil, fmt.Errorf("capget: %w", err)
	}
	for _, c := range keep {
		if bit := uint32(1) << (c % 32); have[c/32].Permitted&bit != 0 {
			want[c/32].Permitted |= bit
			want[c/32].Effective |= bit
			kept = append(kept, c)
		}
	}
	if err := allThreads(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil {
		return nil, fmt.Errorf("clear ambient capabilities: %w", err)
	}
	err = allThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&want[0])), 0)
	runtime.KeepAlive(&header)
	runtime.KeepAlive(&want)
	if err != nil {
		return nil, fmt.Errorf("capset: %w", err)
	}
	return kept, nil
}

// dropBounds empties the bounding set, so that no program that is executed can
// get capabilities. That takes CAP_SETPCAP. Without it the set stays: no program
// can be executed with more privileges anyhow.
func dropBounds() {
	for c := range uintptr(unix.CAP_LAST_CAP + 1) {
		there, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err == nil && there == 1 && allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0) != nil {
			return
		}
	}
}
