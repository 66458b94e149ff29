//go:build amd64 || arm64

package sandbox

import (
	"slices"

	"golang.org/x/sys/unix"
)

// callRules are the system calls that Go's runtime, C's library where it is
// linked in, and a program with open descriptors need. The commonest are first.
func callRules(open, readOnly bool, pid uint32) (rules []callRule) {
	calls := slices.Concat(dataCalls, runtimeCalls, fileCalls, socketCalls, legacyCalls)
	if readOnly {
		calls = slices.DeleteFunc(calls, func(c uintptr) bool { return slices.Contains(changingCalls, c) })
		for _, o := range openings {
			rules = append(rules, callRule{o.call, o.flags, unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC, []uint32{unix.O_RDONLY}})
		}
	}
	if open {
		calls = append(calls, openCalls...)
	}
	for _, c := range calls {
		rules = append(rules, callRule{call: c})
	}
	return append(rules,
		// Threads, but no processes.
		callRule{unix.SYS_CLONE, 0, unix.CLONE_THREAD, []uint32{unix.CLONE_THREAD}},
		// Signals to itself.
		callRule{unix.SYS_TGKILL, 0, ^uint32(0), []uint32{pid}},
		callRule{unix.SYS_KILL, 0, ^uint32(0), []uint32{pid}},
		// Names of threads and of memory.
		callRule{unix.SYS_PRCTL, 0, ^uint32(0), []uint32{unix.PR_SET_NAME, unix.PR_SET_VMA}},
		// The size of a terminal, and whether it is one; the type of a
		// namespace. TIOCSTI would type on the terminal.
		callRule{unix.SYS_IOCTL, 1, ^uint32(0), []uint32{unix.TCGETS, unix.TIOCGWINSZ, unix.NS_GET_NSTYPE}},
	)
}

// dataCalls are on the way of packets.
var dataCalls = []uintptr{
	unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_GETSOCKOPT, unix.SYS_WRITE, unix.SYS_PWRITE64,
	unix.SYS_NANOSLEEP, unix.SYS_READ, unix.SYS_FSTAT, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE,
	unix.SYS_RT_SIGRETURN, unix.SYS_MADVISE, unix.SYS_SCHED_YIELD, unix.SYS_CLOCK_GETTIME,
	unix.SYS_VMSPLICE, // to count what comes to a ring until it is closed
	unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREADV, unix.SYS_PWRITEV,
}

// runtimeCalls are about memory, threads, time, and this process.
var runtimeCalls = []uintptr{
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MPROTECT, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EVENTFD2, unix.SYS_PIPE2, unix.SYS_PPOLL, unix.SYS_PSELECT6,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_SIGALTSTACK, unix.SYS_RT_SIGTIMEDWAIT,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_SETAFFINITY,
	unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_SETITIMER,
	unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE,
	unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_GETRANDOM, unix.SYS_GETRLIMIT, unix.SYS_GETRUSAGE, unix.SYS_PRLIMIT64, unix.SYS_SYSINFO, unix.SYS_UNAME,
	unix.SYS_PIDFD_OPEN, // to wait for the end of a pod; nothing else can be done to it
}

// fileCalls are those that Landlock, modes and capabilities decide about.
var fileCalls = []uintptr{
	unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_CLOSE, unix.SYS_FCNTL, unix.SYS_FLOCK, unix.SYS_DUP, unix.SYS_DUP3,
	unix.SYS_LSEEK, fstatatCall, unix.SYS_STATX, unix.SYS_STATFS, unix.SYS_FSTATFS, unix.SYS_READLINKAT,
	unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_GETDENTS64, unix.SYS_GETCWD,
	unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_UNLINKAT,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNC_FILE_RANGE, unix.SYS_FADVISE64, unix.SYS_COPY_FILE_RANGE,
}

// changingCalls change files, or may open them for it. Writing is not among
// them: it takes a descriptor, and sockets and pipes are written to.
var changingCalls = slices.Concat([]uintptr{
	unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_FCHMOD, unix.SYS_FCHOWN,
	unix.SYS_UNLINKAT, unix.SYS_COPY_FILE_RANGE,
}, legacyChangingCalls)

// An opening is a call that opens a file, by flags that are one of its
// arguments.
type opening struct {
	call  uintptr
	flags uint32
}

var openings = append([]opening{{unix.SYS_OPENAT, 2}}, legacyOpenings...)

// socketCalls are for sockets that are open.
var socketCalls = []uintptr{
	unix.SYS_SETSOCKOPT, unix.SYS_BIND, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,
	unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_RECVFROM, unix.SYS_RECVMSG,
}

// openCalls make new ones, also elsewhere, and tell when there is something new
// to open.
var openCalls = []uintptr{
	unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_SETNS, unix.SYS_INOTIFY_INIT1, unix.SYS_INOTIFY_ADD_WATCH,
}
