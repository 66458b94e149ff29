package pods

import (
	"path"
	"slices"
	"strings"
)

// ociRuntimes are the programs that make containers. What becomes the first process
// of one is called so until it executes the container's program.
var ociRuntimes = []string{"runc", "crun", "youki"}

// isRuntime reports whether a command line, as in /proc/PID/cmdline, is that of a
// runtime, such as "runc init".
func isRuntime(cmdline string) bool {
	program, _, _ := strings.Cut(cmdline, "\x00")
	return slices.Contains(ociRuntimes, path.Base(program))
}

// A member is a process and what says where it belongs.
type member struct {
	Process
	podUID  string
	inode   uint64 // of its network namespace
	refused bool   // the inode may not be seen
	kernel  bool   // it is a kernel thread; the rest but Process is not read
	parent  int    // the PID of the parent
	runtime bool   // it is in a pod, and called as a container runtime is
}

// settled leaves out what is not in its pod yet. A runtime puts a process into the
// cgroups of the pod first and then into its namespaces; in between it is in the
// network of whoever has started it, which is the node's. A name alone hides
// nobody: who is in the pod's own network stays.
func settled(all []member) []member {
	outside := make(map[int]uint64) // network namespaces by PID
	for _, m := range all {
		if m.podUID == "" {
			outside[m.PID] = m.inode
		}
	}
	return slices.DeleteFunc(all, func(m member) bool {
		return m.runtime && m.inode != 0 && m.inode == outside[m.parent]
	})
}
