package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch   = unix.AUDIT_ARCH_AARCH64
	fstatatCall = unix.SYS_FSTATAT
)

// Older forms this architecture never had.
var (
	legacyCalls, legacyChangingCalls []uintptr
	legacyOpenings                   []opening
)
