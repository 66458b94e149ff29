package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"icap/internal/pods"
)

// examineMounts looks at what of the node can be read here, and says what pods
// are found in it.
func examineMounts(s pods.Scanner) []finding {
	mounts := readMounts()
	seen := processes(s, mounts)
	return []finding{
		seen, namespaceNames(s, seen.Health == fine), podLogs(s), podsSeen(s), controlGroups(), rootFileSystem(mounts),
	}
}

// processes finds out whether those of the node can be seen.
func processes(s pods.Scanner, mounts []mount) finding {
	f := finding{Name: "processes", Health: fine, Found: "those of the node, in " + s.Proc}
	m, _ := mountOf(mounts, s.Proc)
	hidden := m.option("hidepid")
	if hidden == "off" || hidden == "0" {
		hidden = ""
	}
	if hidden != "" {
		f.Found += ", hidepid=" + hidden
	}
	if ofNode(s.Proc) {
		return f
	}
	f.Health, f.Found = limited, "those of a PID namespace"
	f.Advice = "pods of the node are not found: hostPID: true, or its /proc by --proc-root"
	if hidden != "" {
		f.Found = "hidden: " + s.Proc + " is mounted with hidepid=" + hidden
		f.Advice = "pods of other users are not found without CAP_SYS_PTRACE"
		return f
	}
	for _, m := range mounts {
		if m.kind == "proc" && m.root == "/" && m.point != s.Proc && ofNode(m.point) {
			f.Advice = "those of the node are in " + printable(m.point) + ": --proc-root " + printable(m.point)
		}
	}
	return f
}

// ofNode reports whether a proc file system has the kernel's threads, which are
// in the first PID namespace.
func ofNode(proc string) bool {
	b, err := os.ReadFile(filepath.Join(proc, "2/comm"))
	return err == nil && strings.TrimSpace(string(b)) == "kthreadd"
}

// namespaceNames looks at the names that CNI and ip-netns(8) give to namespaces,
// which are opened without any privilege.
func namespaceNames(s pods.Scanner, otherwise bool) finding {
	f := finding{Name: "/run/netns", Health: fine}
	const advice = "mount the node's /run/netns with mountPropagation: HostToContainer, and its namespaces are found by their names"
	dir, err := s.OnNode("/run/netns")
	var entries []os.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && otherwise:
		f.Found = "not there; namespaces are found by their processes"
		return f
	case err != nil:
		f.Health, f.Found, f.Advice = limited, unread(err), advice
		return f
	}
	dead := 0
	for _, e := range entries {
		var st unix.Statfs_t
		if unix.Statfs(filepath.Join(dir, e.Name()), &st) != nil || st.Type != unix.NSFS_MAGIC {
			dead++
		}
	}
	f.Found = fmt.Sprintf("%d namespaces, in %s", len(entries)-dead, dir)
	if dead > 0 {
		f.Health, f.Advice = limited, advice
		f.Found += fmt.Sprintf("; at %d more names none is mounted here", dead)
	}
	return f
}

// unread is why something could not be read, in few words.
func unread(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "not there"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read"
	}
	return err.Error()
}

// podLogs looks at the directories that pods have their names from.
func podLogs(s pods.Scanner) finding {
	f := finding{Name: "/var/log/pods", Health: fine}
	dir, err := s.OnNode("/var/log/pods")
	var entries []os.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Found = "not there: no kubelet keeps logs here, or they are not mounted; pods have the names that their processes say"
	case err != nil:
		f.Health, f.Found = limited, unread(err)
		f.Advice = "pods have the names that their processes say"
	default:
		f.Found = fmt.Sprintf("logs of %d pods, in %s", len(entries), dir)
	}
	return f
}

// podsSeen looks for pods, as every command does that is given one.
func podsSeen(s pods.Scanner) finding {
	f := finding{Name: "pods", Health: fine}
	all, err := s.ScanAll()
	named, found, other := 0, 0, 0
	for i := range all {
		switch p := &all[i]; {
		case p.UID == "":
			other++
		case p.Name != "":
			named++
			fallthrough
		default:
			found++
		}
	}
	f.Found = fmt.Sprintf("%d with names, %d without; %d other network namespaces", named, found-named, other)
	if err != nil {
		f.Health, f.Advice = limited, "not all can be seen: "+printable(err.Error())
	}
	return f
}

// controlGroups finds out where the memory limit of a container is read.
func controlGroups() finding {
	f := finding{Name: "/sys/fs/cgroup", Health: fine}
	var st unix.Statfs_t
	switch err := unix.Statfs("/sys/fs/cgroup", &st); {
	case err == nil && st.Type == unix.CGROUP2_SUPER_MAGIC:
		f.Found = "version 2"
	case err == nil && exists("/sys/fs/cgroup/memory"):
		f.Found = "version 1"
	default:
		f.Health, f.Found = limited, "not mounted"
		f.Advice = "the memory limit of a container is not known: GOMEMLIMIT and --max-memory keep icap below it"
	}
	return f
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// rootFileSystem says whether files can be written outside of volumes.
func rootFileSystem(mounts []mount) finding {
	f := finding{Name: "root file system", Health: fine, Found: "unknown"}
	m, ok := mountOf(mounts, "/")
	switch {
	case !ok:
	case m.readOnly():
		f.Found = m.kind + ", read-only: captures go into a volume, or to standard output"
	default:
		f.Found = m.kind + ", writable"
	}
	return f
}
