package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch   = unix.AUDIT_ARCH_X86_64
	fstatatCall = unix.SYS_NEWFSTATAT
)

var legacyChangingCalls = []uintptr{unix.SYS_OPEN, unix.SYS_UNLINK}

var legacyOpenings = []opening{{unix.SYS_OPEN, 1}}

// legacyCalls are older forms that C's library, and Go here and there, prefer.
var legacyCalls = []uintptr{
	unix.SYS_OPEN, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_READLINK, unix.SYS_UNLINK,
	unix.SYS_POLL, unix.SYS_SELECT, unix.SYS_PIPE, unix.SYS_DUP2, unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL, unix.SYS_TIME,
}
