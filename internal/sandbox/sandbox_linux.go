package sandbox

import (
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// enter puts the layers on in an order in which each is still allowed to.
func enter(c Config) (l Layers, err error) {
	dropBounds()
	if c.User != nil {
		if err := become(c.User, len(c.Keep) > 0); err != nil {
			return l, err
		}
		l.On = append(l.On, "user "+c.User.Name)
	}
	kept, err := dropCapabilities(c.Keep)
	l.add("dropped capabilities", tellKept(kept), err)
	l.add("no new privileges", "no new privileges", noNewPrivileges())
	if c.Look {
		l.Off = append(l.Off, "Landlock (it would hide other processes)")
	} else {
		l.add("Landlock", tellWritable(c.Write), landlock(c.Write, c.Remove))
	}
	words := "system calls filtered"
	if c.ReadOnly && c.Look {
		words += ", no file to be written"
	}
	l.add("seccomp", words, filterCalls(c.Open, c.ReadOnly))
	return l, nil
}

func tellKept(kept []Capability) string {
	if len(kept) == 0 {
		return "no capabilities"
	}
	names := make([]string, len(kept))
	for i, c := range kept {
		names[i] = c.String()
	}
	return "no capabilities but " + strings.Join(names, " ")
}

func tellWritable(dirs []string) string {
	if len(dirs) == 0 {
		return "no file to be written but those that are open"
	}
	return "new files only in " + strings.Join(dirs, " and ")
}

// noNewPrivileges keeps programs that are executed from having more rights,
// see prctl(2).
func noNewPrivileges() error {
	return allThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// allThreads makes a system call on each of them. The kernel knows what threads
// are called together as a process, but gives each rights of its own. The
// results must be the same.
func allThreads(call, a, b, c uintptr) error {
	if _, _, errno := psx.Syscall6(call, a, b, c, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func missing() (layers []string) {
	if _, err := landlockHandled(); err != nil {
		layers = append(layers, "Landlock ("+err.Error()+")")
	}
	if err := seccompThere(); err != nil {
		layers = append(layers, "seccomp ("+err.Error()+")")
	}
	return layers
}
