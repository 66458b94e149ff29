package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// filterCalls lets no system calls through but those of a list. The others fail
// with EPERM, which a program can tell, and does not die of where a runtime of
// tomorrow tries something new.
func filterCalls(open, readOnly bool) error {
	if auditArch == 0 {
		return fmt.Errorf("no list of system calls for %s", runtime.GOARCH)
	}
	raw, err := bpf.Assemble(program(callRules(open, readOnly, uint32(unix.Getpid()))))
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	switch {
	case errno == unix.ENOSYS:
		return errors.New("not in this kernel")
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return fmt.Errorf("seccomp: thread %d has a filter of its own", thread)
	}
	return nil
}

// seccompThere says why there can be no filter.
func seccompThere() error {
	action := uint32(returnError)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	switch {
	case auditArch == 0:
		return fmt.Errorf("no list of system calls for %s", runtime.GOARCH)
	case errno != 0:
		return errors.New("not in this kernel")
	}
	return nil
}

// A callRule lets a system call through, if it has a condition only where the
// low half of an argument has one of some values under a mask: the kernel looks
// at no more of an int.
type callRule struct {
	call   uintptr
	arg    uint32
	mask   uint32
	values []uint32
}

// Offsets in struct seccomp_data of linux/seccomp.h.
const (
	offsetCall  = 0
	offsetArch  = 4
	offsetArg0  = 16
	sizeOfArg   = 8
	x32Bit      = 1 << 30
	returnError = 0x00050000 // SECCOMP_RET_ERRNO
	returnAllow = 0x7fff0000 // SECCOMP_RET_ALLOW
)

var (
	allow    = bpf.RetConstant{Val: returnAllow}
	deny     = bpf.RetConstant{Val: returnError | uint32(unix.EPERM)}
	notThere = bpf.RetConstant{Val: returnError | uint32(unix.ENOSYS)}
)

// program runs through the rules. Calls of other architectures have other
// numbers, so none of them gets through.
func program(rules []callRule) []bpf.Instruction {
	p := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		deny,
		bpf.LoadAbsolute{Off: offsetCall, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1},
		deny,
		// Its flags are out of a filter's sight. C's library then takes clone.
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE3, SkipTrue: 1},
		notThere,
	}
	for _, r := range rules {
		body := r.body()
		p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(r.call), SkipTrue: uint8(len(body))})
		p = append(p, body...)
	}
	return append(p, deny)
}

// body is what happens to the call of a rule. It does not go on behind it.
func (r *callRule) body() []bpf.Instruction {
	if r.values == nil {
		return []bpf.Instruction{allow}
	}
	p := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArg0 + sizeOfArg*r.arg, Size: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: r.mask},
	}
	for _, v := range r.values {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: 1}, allow)
	}
	return append(p, deny)
}
