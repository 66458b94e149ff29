package pods

import (
	"cmp"
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

func (s Scanner) scan() (scan, error) {
	members, err := s.members()
	if err != nil {
		return scan{}, err
	}
	found := scan{host: s.hostInode()}
	// The caller's PID in the PID namespace of this proc.
	self, _ := os.Readlink(filepath.Join(s.proc(), "self"))
	for _, m := range members {
		if strconv.Itoa(m.PID) == self {
			continue
		}
		found.others++
		if m.refused {
			found.refused++
		}
	}
	found.pods = group(settled(members))
	logs, files := s.readLogs(), s.readFiles()
	for i := range found.pods {
		p := &found.pods[i]
		p.Host = p.Inode == found.host && p.Inode != 0
		if p.Inode != 0 {
			p.Netns = files[p.Inode]
		}
		if p.UID != "" || !p.Host {
			s.describe(p, logs)
		}
	}
	for _, p := range found.pods {
		delete(files, p.Inode)
	}
	for inode, name := range files {
		found.named = append(found.named, Pod{Inode: inode, Netns: name})
	}
	slices.SortFunc(found.named, func(a, b Pod) int { return cmp.Compare(a.Netns, b.Netns) })
	slices.SortFunc(found.pods, func(a, b Pod) int {
		return cmp.Or(
			-cmp.Compare(min(len(a.UID), 1), min(len(b.UID), 1)),
			cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.UID, b.UID),
			cmp.Compare(a.Inode, b.Inode),
		)
	})
	return found, nil
}

// members reads all processes but kernel threads, sorted by PID.
func (s Scanner) members() ([]member, error) {
	dir, err := os.Open(s.proc())
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []member
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil || pid <= 0 {
			continue
		}
		m, err := readMember(s.proc(), pid)
		if gone(err) || err == nil && m.kernel {
			continue
		}
		// The mount option hidepid closes even the files for everybody.
		if errors.Is(err, fs.ErrPermission) {
			m, err = member{Process: Process{PID: pid}, refused: true}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read process %d: %w", pid, err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b member) int { return cmp.Compare(a.PID, b.PID) })
	return all, nil
}

// group puts the processes of each pod together, and the others by their
// namespaces. A process that has left the namespace of its pod for one of its
// own (a container runtime inside of a pod) counts with the others.
func group(members []member) []Pod {
	home := make(map[string]member) // by pod, the process that shows its namespace
	for _, m := range members {
		if m.podUID == "" {
			continue
		}
		if h, ok := home[m.podUID]; !ok || shows(m, h) {
			home[m.podUID] = m
		}
	}
	type key struct {
		uid   string
		inode uint64
	}
	index := make(map[key]int)
	var all []Pod
	for _, m := range members {
		k := key{inode: m.inode}
		if h, ok := home[m.podUID]; ok && (m.refused || m.inode == h.inode) {
			k = key{m.podUID, h.inode}
		} else if m.refused {
			continue
		}
		i, ok := index[k]
		if !ok {
			i = len(all)
			index[k] = i
			all = append(all, Pod{UID: k.uid, Inode: k.inode})
		}
		all[i].Processes = append(all[i].Processes, m.Process)
	}
	return all
}

// shows reports whether a shows the namespace of its pod better than b. The
// first container of a pod is the sandbox that the namespace was made for.
// What has no container is the runtime's, in a namespace of the node.
func shows(a, b member) bool {
	if (a.ContainerID == "") != (b.ContainerID == "") {
		return b.ContainerID == ""
	}
	if a.refused != b.refused {
		return b.refused
	}
	return older(a.Process, b.Process)
}

// readLogs returns the names of pods by UID, as the kubelet wrote them into
// the names of directories. It is one source of several, so no error.
func (s Scanner) readLogs() map[string]podName {
	names := make(map[string]podName)
	dirs, err := os.ReadDir(s.podLogs())
	if err != nil {
		return names
	}
	for _, d := range dirs {
		if uid, n, ok := parseLogDir(d.Name()); ok {
			names[uid] = n
		}
	}
	return names
}

// readFiles returns the names in the directory of ip-netns(8) by inode. A
// namespace that has several is known by the first.
func (s Scanner) readFiles() map[uint64]string {
	dir := s.netns()
	names := make(map[uint64]string)
	for _, name := range listNames(dir) {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, name), &st); err == nil && names[st.Ino] == "" {
			names[st.Ino] = name
		}
	}
	return names
}

// listNames returns what is in a directory, sorted. None, if it cannot be
// read, is as good as an error: it is one source of several.
func listNames(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// describe sets the role and the names of a pod. The names are those that the
// kubelet has; else the name from the file hostname that the kubelet mounts
// into every container, unless the pod has the hostname of the node; else,
// and for the namespace, what a proxy of Istio was told.
//
// A hostname is cut at 63 bytes, so the proxy can complete the name.
func (s Scanner) describe(p *Pod, logs map[string]podName) {
	told := s.claims(p)
	p.Role, p.Workload, p.Interception = told.role, told.workload, told.interception
	if p.UID == "" {
		return
	}
	if n, ok := logs[p.UID]; ok {
		p.Name, p.Namespace = n.name, n.namespace
		return
	}
	p.Namespace = told.namespace
	if !p.Host {
		p.Name = s.hostname(p)
	}
	if strings.HasPrefix(told.name, p.Name) {
		p.Name = told.name
	}
}

// claims collects what the processes of Istio in a pod say. Where none tells a
// role, the listening ports do.
func (s Scanner) claims(p *Pod) claim {
	var told claim
	var last *Process
	for i := range p.Processes {
		if !isIstio(p.Processes[i].Command) {
			continue
		}
		last = &p.Processes[i]
		_ = s.visit(*last, func(d procDir) { told.complete(d.claim()) }) // it ended, and tells nothing
	}
	if last != nil && told.role == Plain && !p.Host {
		_ = s.visit(*last, func(d procDir) { told.role = RoleOfPorts(d.listening()) }) // as above
	}
	return told
}

// claim reads what a process of Istio says.
func (d procDir) claim() claim {
	var told claim
	if b, err := d.read("cmdline", maxFile); err == nil {
		told = parseCommandLine(string(b))
	}
	if b, err := d.read("environ", maxEnviron); err == nil {
		env := parseEnviron(string(b))
		env.complete(told)
		told = env
	}
	return told
}

// hostname is the name that the first process with a valid one tells.
func (s Scanner) hostname(p *Pod) (name string) {
	for _, proc := range p.Processes {
		_ = s.visit(proc, func(d procDir) { // it ended, and tells nothing
			b, err := d.readRooted("etc/hostname", hostnameLen)
			if n := strings.TrimSpace(string(b)); err == nil && validPodName(n) {
				name = n
			}
		})
		if name != "" {
			break
		}
	}
	return name
}

// visit opens the directory of a process that was found before, and makes
// sure that it is still the same one.
func (s Scanner) visit(p Process, look func(procDir)) error {
	d, err := openProc(s.proc(), p.PID)
	if err != nil {
		return err
	}
	defer d.close()
	b, err := d.read("stat", maxFile)
	if err != nil {
		return err
	}
	if _, start, _, err := parseStat(b); err != nil || start != p.Start {
		return fmt.Errorf("process %d: %w", p.PID, fs.ErrNotExist)
	}
	look(d)
	return nil
}

// hostInode returns the inode of the node's network namespace, 0 if it cannot
// be told. The kernel thread 2 is there in the node's PID namespace only, and
// lives in the node's network namespace. (So does process 1, but it may be
// closed even to root, and in a container it is somebody else.)
//
// Where the thread may not be looked into, the caller may still be in the same
// namespace. What everybody may see is the inode of a file below
// /proc/PID/net, and every namespace has files of its own there.
func (s Scanner) hostInode() uint64 {
	d, err := openProc(s.proc(), kthreadd)
	if err != nil {
		return 0
	}
	defer d.close()
	b, err := d.read("stat", maxFile)
	if err != nil {
		return 0
	}
	if _, _, kernel, err := parseStat(b); err != nil || !kernel {
		return 0
	}
	if inode, err := d.inode("ns/net"); err == nil {
		return inode
	}
	self, err := openProc("/proc", os.Getpid())
	if err != nil {
		return 0
	}
	defer self.close()
	theirs, err1 := d.inode("net/dev")
	ours, err2 := self.inode("net/dev")
	inode, err3 := self.inode("ns/net")
	if cmp.Or(err1, err2, err3) != nil || theirs != ours {
		return 0
	}
	return inode
}
