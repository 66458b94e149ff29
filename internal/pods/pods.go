package pods

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
)

// A Pod is a Kubernetes pod or, with an empty UID, any other network
// namespace that has processes.
type Pod struct {
	// Name and Namespace are empty when nothing tells them. Namespace can be
	// empty on its own.
	Name, Namespace string

	// UID is the pod's in Kubernetes: a UUID, or 32 hexadecimal digits for
	// a static pod.
	UID string

	// Inode identifies the network namespace, as N in "net:[N]" that
	// readlink(1) shows for /proc/PID/ns/net. 0 if it may not be seen.
	Inode uint64

	// Netns is the name of the namespace's file in Scanner.Netns, if it has
	// one: what ip-netns(8) calls it, or for pods the CNI plugin.
	Netns string

	// Host says that the namespace is the node's own, as it is for pods with
	// hostNetwork.
	Host bool

	// Role is what programs of Istio in the pod say, by their command lines;
	// where these say nothing, it is a guess from the listening ports. Without
	// such a program it is Plain.
	Role Role

	// Workload and Interception are what a proxy of Istio was told: the name
	// of the Deployment or the like, and REDIRECT, TPROXY or NONE.
	Workload, Interception string

	// Processes are sorted by PID and include no kernel threads.
	Processes []Process
}

// Home is the process that lives as long as the pod: the sandbox, which was
// started first. It is nil without processes.
func (p *Pod) Home() *Process {
	var first *Process
	for i := range p.Processes {
		q := &p.Processes[i]
		if first == nil || q.ContainerID != "" && first.ContainerID == "" ||
			(q.ContainerID == "") == (first.ContainerID == "") && older(*q, *first) {
			first = q
		}
	}
	return first
}

func older(a, b Process) bool {
	return a.Start < b.Start || a.Start == b.Start && a.PID < b.PID
}

// Title returns what to call the pod: NAME.NAMESPACE, or what is known.
func (p *Pod) Title() string {
	switch {
	case p.Name != "" && p.Namespace != "":
		return p.Name + "." + p.Namespace
	case p.Name != "":
		return p.Name
	case p.UID != "":
		return "pod " + p.UID
	case p.Host:
		return "host"
	case p.Netns != "":
		return "netns:" + p.Netns
	}
	return fmt.Sprintf("inode:%d", p.Inode)
}

// A Process is a process of a pod.
type Process struct {
	PID int

	// Start is when the process was started, in clock ticks after boot: field
	// 22 of proc_pid_stat(5). PID and Start together are never used again.
	Start uint64

	// Command is at most 15 bytes of printable ASCII, chosen by the process.
	Command string

	// UID is the effective user, in the user namespace of the caller.
	UID int

	// ContainerID is 64 hexadecimal digits, or empty outside of a container.
	ContainerID string
}

// A Scanner reads from these directories. The zero value reads those of the
// machine. A container that sees the node's processes needs no more than that
// either: what is not set is looked for in the root of process 1, and then
// beside Proc.
type Scanner struct {
	// Proc is the mount point of a proc file system, "" for /proc.
	Proc string

	// PodLogs is where the kubelet keeps logs, /var/log/pods. Pods have names
	// without it only if they are found by other means.
	PodLogs string

	// Netns is where ip-netns(8) and CNI plugins keep namespaces, /run/netns.
	Netns string
}

func (s Scanner) proc() string    { return orDefault(s.Proc, "/proc") }
func (s Scanner) podLogs() string { return orDefault(s.PodLogs, s.onNode("var/log/pods")) }
func (s Scanner) netns() string   { return orDefault(s.Netns, s.onNode("run/netns")) }

// onNode is where a directory of the node can be read: below the root of
// process 1, or, where that may not be looked into, beside the proc file
// system, as in /host/proc and /host/run/netns.
func (s Scanner) onNode(dir string) string {
	path := filepath.Join(s.proc(), "1/root", dir)
	if d, err := os.Open(path); err == nil {
		_ = d.Close() // it was opened to see whether it can be
		return path
	}
	return filepath.Join(filepath.Dir(s.proc()), dir)
}

// OnNode returns the path by which a file of the node can be reached from here:
// below the root of process 1, beside the proc file system, or as it is called.
// The file is not opened. Where it is nowhere, the error wraps
// [io/fs.ErrNotExist].
func (s Scanner) OnNode(path string) (string, error) {
	for _, root := range []string{filepath.Join(s.proc(), "1/root"), filepath.Dir(s.proc()), "/"} {
		if at := filepath.Join(root, path); exists(at) {
			return at, nil
		}
	}
	_, err := os.Stat(path)
	return path, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// Scan returns the pods of the node, sorted by namespace and name, then the
// other network namespaces that have processes, sorted by inode.
//
// It is one pass over all processes. Those that end meanwhile are left out,
// as are those that may not be looked into and are in no pod. A pod whose
// processes may not be looked into has Inode 0. If most processes may not be, the
// error wraps [io/fs.ErrPermission], and the pods that are known all the same
// are returned with it.
func (s Scanner) Scan() ([]Pod, error) {
	found, err := s.scan()
	if err != nil {
		return nil, err
	}
	return found.pods, found.blind()
}

// ScanAll is Scan with the namespaces behind it that have a name in
// Scanner.Netns and no process. Of these only Inode and Netns are set.
func (s Scanner) ScanAll() ([]Pod, error) {
	found, err := s.scan()
	if err != nil {
		return nil, err
	}
	return append(found.pods, found.named...), found.blind()
}

// Addrs returns the addresses of a pod, without those of the loopback
// interface and link-local ones. It takes no privilege. A pod that has the
// network of the node has none of its own.
func (s Scanner) Addrs(p *Pod) []netip.Addr { return s.addrs(p) }

// A scan is the outcome of one pass over all processes.
type scan struct {
	pods []Pod

	// named are the namespaces with a name but no process, sorted by name.
	named []Pod

	// host is the inode of the node's own network namespace, 0 if it is not
	// known.
	host uint64

	// others and refused count the processes besides the caller, and those of
	// them whose namespace may not be seen. Neither has kernel threads.
	others, refused int
}

// blind returns an error if most processes refused to be looked into. Some do so
// to the privileged, and some that have given up their privileges do not even to
// others.
func (s scan) blind() error {
	if 2*s.refused <= s.others {
		return nil
	}
	return &lookupError{
		msg:  fmt.Sprintf("look into %d of %d processes: permission denied (needs CAP_SYS_PTRACE)", s.refused, s.others),
		kind: fs.ErrPermission,
	}
}

// A lookupError has a message for people and a kind for errors.Is.
type lookupError struct {
	msg  string
	kind error
}

func (e *lookupError) Error() string { return e.msg }
func (e *lookupError) Unwrap() error { return e.kind }

// A Found is what a target turned out to be.
type Found struct {
	// Title is what to call it in a file or a message: "productpage.default",
	// "pid:123", "netns:blue".
	Title string

	// Path is a file to open the network namespace by, see setns(2). It is
	// empty if Process has to be used.
	Path string

	// Process is in the namespace. Enter it by PID and compare Start after,
	// so that another process with the same PID is noticed. Nil with a Path.
	Process *Process

	// Pod is what the target is or is part of; nil if that is no pod.
	Pod *Pod
}

// Resolve finds the network namespace that a target stands for.
//
// A name is that of a pod, or, if there is none, of a file in Netns. If
// nothing has the name, the error wraps [io/fs.ErrNotExist] and lists what
// there is; if several pods do, it lists those. Where a privilege is missing,
// it wraps [io/fs.ErrPermission] and names it. Labels are not found in /proc: a
// target of that kind is refused with [errors.ErrUnsupported].
func (s Scanner) Resolve(t Target) (Found, error) { return s.resolve(t) }
