package pods

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// maxListed bounds the names in an error.
	maxListed = 10

	// shortID is how many digits of a container ID are shown.
	shortID = 12

	selfPath = "/proc/self/ns/net"
)

func (s Scanner) resolve(t Target) (Found, error) {
	found, err := s.resolveKind(t)
	if err != nil {
		return Found{}, fmt.Errorf("resolve %s: %w", t, err)
	}
	return found, nil
}

func (s Scanner) resolveKind(t Target) (Found, error) {
	switch t.Kind {
	case Self:
		return Found{Title: "self", Path: selfPath}, nil
	case Netns:
		return s.resolveFile(t.Path)
	}
	all, err := s.scan()
	if err != nil {
		return Found{}, err
	}
	switch t.Kind {
	case Name:
		return s.resolveName(all, t)
	case PID:
		return s.resolvePID(all, t.PID)
	case Inode:
		return s.resolveInode(all, t.Inode)
	case Container:
		return resolveContainer(all, t.Container)
	case Host:
		return s.resolveHost(all)
	case UID:
		return resolveUID(all, t.UID)
	}
	return Found{}, fmt.Errorf("kind %d: %w", int(t.Kind), errors.ErrUnsupported)
}

// resolveFile takes a path, or the name of a file in the directory of
// ip-netns(8).
func (s Scanner) resolveFile(path string) (Found, error) {
	title := "netns:" + filepath.Base(path)
	if !strings.Contains(path, "/") {
		path = filepath.Join(s.netns(), path)
	}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, notFound("no network namespace at "+path, s.files())
	}
	if errors.Is(err, fs.ErrPermission) {
		return Found{}, fmt.Errorf("%w (below /proc it needs CAP_SYS_PTRACE)", err)
	}
	if err != nil {
		return Found{}, err
	}
	return Found{Title: title, Path: path}, nil
}

// files returns the names in the directory of ip-netns(8).
func (s Scanner) files() []string { return listNames(s.netns()) }

func (s Scanner) resolveName(all scan, t Target) (Found, error) {
	var matches []Pod
	for _, p := range all.pods {
		if p.UID != "" && isNamed(p, t) {
			matches = append(matches, p)
		}
	}
	switch {
	case len(matches) == 1:
		return foundPod(matches[0])
	case len(matches) > 1:
		return Found{}, ambiguous("several pods have that name", matches)
	}
	if t.Namespace == "" {
		if slices.Contains(s.files(), t.Name) {
			return s.resolveFile(t.Name)
		}
	}
	if err := all.blind(); err != nil {
		return Found{}, err
	}
	var names []string
	for _, p := range all.pods {
		if p.Name != "" {
			names = append(names, p.Title())
		}
	}
	if t.Namespace == "" {
		names = append(names, s.files()...)
	}
	// Names that have the wanted one in them help most.
	slices.SortStableFunc(names, func(a, b string) int {
		return boolCompare(strings.Contains(b, t.Name), strings.Contains(a, t.Name))
	})
	return Found{}, notFound("no pod or network namespace has that name", names)
}

// isNamed reports whether a pod is meant. "a.b" is pod a in namespace b or a
// pod of that name; a namespace has no dots.
func isNamed(p Pod, t Target) bool {
	if t.Namespace != "" {
		return p.Name == t.Name && p.Namespace == t.Namespace
	}
	return p.Name == t.Name || p.Namespace != "" && p.Name+"."+p.Namespace == t.Name
}

// foundPod finds a pod by the process that was started first, which lives as
// long as the pod: the sandbox.
func foundPod(p Pod) (Found, error) {
	if p.Inode == 0 {
		return Found{}, &lookupError{
			msg:  fmt.Sprintf("look into the processes of %s: permission denied (needs CAP_SYS_PTRACE)", p.Title()),
			kind: fs.ErrPermission,
		}
	}
	first := p.Home()
	found := Found{Title: p.Title(), Process: first}
	if p.UID != "" {
		found.Pod = &p
	}
	return found, nil
}

func (s Scanner) resolvePID(all scan, pid int) (Found, error) {
	m, err := readMember(s.proc(), pid)
	if gone(err) {
		return Found{}, &lookupError{msg: "no such process", kind: fs.ErrNotExist}
	}
	if err != nil {
		return Found{}, err
	}
	if m.refused {
		return Found{}, &lookupError{
			msg:  fmt.Sprintf("look into %s: permission denied (needs CAP_SYS_PTRACE)", m.Command),
			kind: fs.ErrPermission,
		}
	}
	found := Found{Title: fmt.Sprintf("pid:%d", pid), Process: &m.Process}
	for _, p := range all.pods {
		if p.UID != "" && slices.Contains(p.Processes, m.Process) {
			found.Pod = &p
		}
	}
	return found, nil
}

// resolveInode prefers a pod to a file. The namespace of the node is no pod's,
// though pods share it.
func (s Scanner) resolveInode(all scan, inode uint64) (Found, error) {
	for _, p := range all.pods {
		if p.Inode == inode && !(p.Host && p.UID != "") {
			return foundPod(p)
		}
	}
	for _, name := range s.files() {
		var st unix.Stat_t
		path := filepath.Join(s.netns(), name)
		if err := unix.Stat(path, &st); err == nil && st.Ino == inode {
			return Found{Title: "netns:" + name, Path: path}, nil
		}
	}
	if err := all.blind(); err != nil {
		return Found{}, err
	}
	var known []string
	for _, p := range all.pods {
		if p.Inode != 0 {
			known = append(known, describe(p))
		}
	}
	return Found{}, notFound("no process or file has that network namespace", known)
}

func resolveUID(all scan, uid string) (Found, error) {
	for _, p := range all.pods {
		if p.UID == uid {
			return foundPod(p)
		}
	}
	return Found{}, &lookupError{msg: "no process is in a cgroup of that pod", kind: fs.ErrNotExist}
}

func resolveContainer(all scan, prefix string) (Found, error) {
	var pods []Pod
	var ids, known []string
	for _, p := range all.pods {
		for _, q := range p.Processes {
			if q.ContainerID == "" {
				continue
			}
			if !strings.HasPrefix(q.ContainerID, prefix) {
				known = append(known, q.ContainerID[:shortID])
				continue
			}
			if !slices.Contains(ids, q.ContainerID) {
				ids = append(ids, q.ContainerID)
				pods = append(pods, p)
			}
		}
	}
	switch len(ids) {
	case 0:
		slices.Sort(known)
		return Found{}, notFound("no container has an ID that begins so", slices.Compact(known))
	case 1:
	default:
		return Found{}, &lookupError{
			msg:  "several containers have IDs that begin so: " + list(ids),
			kind: errAmbiguous,
		}
	}
	// The processes of the pod's other containers are not meant.
	p := pods[0]
	own := p
	own.Processes = slices.DeleteFunc(slices.Clone(p.Processes), func(q Process) bool {
		return q.ContainerID != ids[0]
	})
	found, err := foundPod(own)
	if err != nil {
		return Found{}, err
	}
	if found.Pod == nil {
		found.Title = "container:" + ids[0][:shortID]
		return found, nil
	}
	found.Pod = &p
	return found, nil
}

func (s Scanner) kthread() string { return filepath.Join(s.proc(), strconv.Itoa(kthreadd)) }

// resolveHost finds the node's namespace by the kernel thread, or by the
// caller if that is in the same one.
func (s Scanner) resolveHost(all scan) (Found, error) {
	if all.host == 0 {
		if _, err := os.Stat(s.kthread()); err == nil {
			return Found{}, &lookupError{
				msg:  "look into the kernel thread 2: permission denied (needs CAP_SYS_PTRACE)",
				kind: fs.ErrPermission,
			}
		}
		return Found{}, &lookupError{
			msg:  "the processes of the node cannot be seen from here (needs its PID namespace or its /proc)",
			kind: fs.ErrNotExist,
		}
	}
	for _, path := range []string{filepath.Join(s.kthread(), "ns/net"), selfPath} {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err == nil && st.Ino == all.host {
			return Found{Title: "host", Path: path}, nil
		}
	}
	return Found{}, &lookupError{msg: "the namespace of the node went away", kind: fs.ErrNotExist}
}

var errAmbiguous = errors.New("ambiguous")

func ambiguous(what string, pods []Pod) error {
	names := make([]string, 0, len(pods))
	for _, p := range pods {
		names = append(names, describe(p))
	}
	return &lookupError{msg: what + ": " + list(names), kind: errAmbiguous}
}

// describe tells pods of the same name apart.
func describe(p Pod) string {
	if p.UID == "" && !p.Host {
		return p.Title()
	}
	return fmt.Sprintf("%s (inode:%d)", p.Title(), p.Inode)
}

func notFound(what string, known []string) error {
	if len(known) == 0 {
		return &lookupError{msg: what + ", nor is there any other", kind: fs.ErrNotExist}
	}
	return &lookupError{msg: what + "; there are " + list(known), kind: fs.ErrNotExist}
}

// list joins the first of some names and counts the rest.
func list(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
