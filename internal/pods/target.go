package pods

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A Kind is a way to say which namespace is meant.
type Kind int

const (
	Name      Kind = iota + 1 // a pod, or a file in Scanner.Netns
	PID                       // that of a process
	Netns                     // a file
	Inode                     // by number
	Container                 // that of a container
	Self                      // that of the caller
	Host                      // that of the node
	UID                       // that of the pod with this UID
	Labels                    // those of all pods with certain labels
)

// A Target says which network namespace is meant, as ParseTarget reads it.
type Target struct {
	Kind Kind

	// Name is a pod's or, without Namespace, anything that can be a file
	// name, POD.NS included. Kind Name only.
	Name, Namespace string

	PID       int    // 1 to 4194304, for kind PID
	Path      string // a path or the name of a file, for kind Netns
	Inode     uint64 // never 0, for kind Inode
	Container string // the beginning of a container ID, for kind Container
	UID       string // a pod's, see Pod.UID, for kind UID
	Labels    string // what ParseSelector reads, for kind Labels
}

const (
	maxPID = 4 << 20 // PID_MAX_LIMIT, see proc_sys_kernel(5)

	// minContainer is how many digits of a container ID have to be given.
	// Container runtimes print 12 or 13.
	minContainer = 4

	maxPath = 4096 // PATH_MAX
)

const targetForms = "NS/POD, POD.NS, POD, pid:N, netns:PATH-or-NAME, inode:N, container:ID, uid:UID, label:KEY=VALUE, self or host"

// ParseTarget reads one of the forms
//
//	NS/POD  POD.NS  POD  pid:N  netns:PATH-or-NAME  inode:N
//	container:ID-PREFIX  uid:UID  label:SELECTOR  self  host
//
// It does not ask whether there is such a thing. A container ID may have its
// runtime in front, as "kubectl get pod" prints it: containerd://ID.
func ParseTarget(s string) (Target, error) {
	t, err := parseTarget(s)
	if err != nil {
		return Target{}, fmt.Errorf("target %.300q: %w", s, err)
	}
	return t, nil
}

func parseTarget(s string) (Target, error) {
	switch s {
	case "":
		return Target{}, fmt.Errorf("empty; it can be %s", targetForms)
	case "self":
		return Target{Kind: Self}, nil
	case "host":
		return Target{Kind: Host}, nil
	}
	if form, arg, ok := strings.Cut(s, ":"); ok {
		return parseForm(form, arg)
	}
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, ".") {
		return Target{}, fmt.Errorf("a path is written %.300q", "netns:"+s)
	}
	if ns, pod, ok := strings.Cut(s, "/"); ok {
		if !validNamespace(ns) {
			return Target{}, fmt.Errorf("%.300q cannot be the name of a namespace", ns)
		}
		if !validPodName(pod) {
			return Target{}, fmt.Errorf("%.300q cannot be the name of a pod", pod)
		}
		return Target{Kind: Name, Namespace: ns, Name: pod}, nil
	}
	if !validFileName(s) {
		return Target{}, fmt.Errorf("neither a name nor %s", targetForms)
	}
	return Target{Kind: Name, Name: s}, nil
}

func parseForm(form, arg string) (Target, error) {
	switch form {
	case "pid":
		n, err := strconv.ParseUint(arg, 10, 32)
		if err != nil || n == 0 || n > maxPID {
			return Target{}, fmt.Errorf("a pid is a number from 1 to %d", maxPID)
		}
		return Target{Kind: PID, PID: int(n)}, nil
	case "inode":
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || n == 0 {
			return Target{}, fmt.Errorf("an inode is a number, N in the net:[N] of a namespace")
		}
		return Target{Kind: Inode, Inode: n}, nil
	case "netns":
		ok := validFileName(arg)
		if strings.Contains(arg, "/") {
			ok = len(arg) < maxPath && !strings.ContainsFunc(arg, unicode.IsControl)
		}
		if !ok {
			return Target{}, fmt.Errorf("neither a path nor the name of a namespace")
		}
		return Target{Kind: Netns, Path: arg}, nil
	case "container":
		if _, id, ok := strings.Cut(arg, "://"); ok {
			arg = id
		}
		if len(arg) < minContainer || len(arg) > containerIDLen || !isHex(arg) {
			return Target{}, fmt.Errorf("a container ID has %d to %d hexadecimal digits", minContainer, containerIDLen)
		}
		return Target{Kind: Container, Container: arg}, nil
	case "uid":
		if !validUID(arg) {
			return Target{}, fmt.Errorf("the UID of a pod is a UUID, or 32 hexadecimal digits")
		}
		return Target{Kind: UID, UID: arg}, nil
	case "label":
		if _, err := ParseSelector(arg); err != nil {
			return Target{}, err
		}
		return Target{Kind: Labels, Labels: arg}, nil
	}
	return Target{}, fmt.Errorf("unknown form %.300q; it can be %s", form+":", targetForms)
}

// validFileName reports whether ip-netns(8) could have made a file of that
// name. It takes nearly anything; here it is what needs no quoting in a shell.
func validFileName(s string) bool {
	if s == "" || len(s) > maxPodName || s[0] == '-' || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// String returns the form that ParseTarget reads as t.
func (t Target) String() string {
	switch t.Kind {
	case Name:
		if t.Namespace != "" {
			return t.Namespace + "/" + t.Name
		}
		return t.Name
	case PID:
		return "pid:" + strconv.Itoa(t.PID)
	case Netns:
		return "netns:" + t.Path
	case Inode:
		return "inode:" + strconv.FormatUint(t.Inode, 10)
	case Container:
		return "container:" + t.Container
	case UID:
		return "uid:" + t.UID
	case Labels:
		return "label:" + t.Labels
	case Self:
		return "self"
	case Host:
		return "host"
	}
	return fmt.Sprintf("target of kind %d", int(t.Kind))
}
