package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch   = unix.AUDIT_ARCH_AARCH64
	fstatatCall = unix.SYS_FSTATAT
)

// legacyCalls are older forms, which this architecture never had.
var legacyCalls []uintptr
