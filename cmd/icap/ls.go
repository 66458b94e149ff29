package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"icap/internal/pods"
	"icap/nsswitch"
)

const lsLong = `ls lists the pods of this node, and every other network namespace: those with a
name of ip-netns(8), and those that have processes.

The pods come from /proc, their mode from the rules in their namespaces. A mode
of REDIRECT or TPROXY is how a sidecar gets the pod's traffic. What may not be
read for want of a privilege is left out, and told.

An icap that is built with the tag cri asks the container runtime for labels,
which -o wide and -o json have.`

// A lsRow is one network namespace.
type lsRow struct {
	// Target is what the namespace can be captured by.
	Target      string        `json:"target"`
	Pod         string        `json:"pod,omitempty"`
	Namespace   string        `json:"namespace,omitempty"`
	UID         string        `json:"uid,omitempty"`
	Workload    string        `json:"workload,omitempty"`
	PID         int           `json:"pid,omitempty"`
	Inode       uint64        `json:"inode,omitempty"`
	Netns       string        `json:"netns,omitempty"`
	HostNetwork bool          `json:"hostNetwork,omitempty"`
	Role        string        `json:"role"`
	Mode        string        `json:"mode,omitempty"`
	ProxyUIDs   []uint32      `json:"proxyUIDs,omitempty"`
	ProxyPorts  []uint16      `json:"proxyPorts,omitempty"`
	AppPorts    []uint16      `json:"appPorts,omitempty"`
	Interfaces  []lsInterface `json:"interfaces,omitempty"`
	Containers  []string      `json:"containers,omitempty"`
	// Labels are known where the container runtime tells them.
	Labels map[string]string `json:"labels,omitempty"`

	addrs  []netip.Addr // without those of lo
	unread error        // why the namespace could not be looked into
}

// A lsInterface is an interface of a namespace.
type lsInterface struct {
	Name  string         `json:"name"`
	Addrs []netip.Prefix `json:"addresses,omitempty"`
}

const lsExample = `  icap ls
  icap ls -o wide                       also UIDs of the proxy, ports and labels
  icap ls -o json | jq -r '.[].target'  what icap pod takes
  icap ls --proc-root /host/proc        from a container without hostPID`

func newLs() *cobra.Command {
	var procRoot, format, criSocket string
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list", "pods"},
		Short:   "List the pods and network namespaces of this node",
		Long:    lsLong,
		Example: lsExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			print, ok := lsFormats[format]
			if !ok {
				return usagef("-o %q is not table, wide or json", format)
			}
			s := pods.Scanner{Proc: procRoot}
			labels := make(chan labelList, 1)
			go func() { labels <- askLabels(cmd.Context(), s, criSocket, format) }()
			rows, blind := listAll(s)
			addLabels(cmd.ErrOrStderr(), rows, <-labels)
			if blind != nil && len(rows) == 0 {
				return blind
			}
			out := newListing(cmd)
			defer out.stop()
			if err := print(out, cmd.ErrOrStderr(), rows); err != nil {
				return cmp.Or(out.fault(), blind)
			}
			tellUnread(cmd.ErrOrStderr(), rows)
			return blind
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, wide or json")
	registerProcRoot(cmd.Flags(), &procRoot)
	registerCRI(cmd.Flags(), &criSocket)
	return cmd
}

// listAll looks into all namespaces, several at a time.
func listAll(s pods.Scanner) ([]lsRow, error) {
	const atOnce = 8
	all, err := s.ScanAll()
	rows := make([]lsRow, len(all))
	ztunnels := pidsOf(all, pods.Ztunnel)
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(atOnce, len(all)) {
		workers.Go(func() {
			for i := range next {
				rows[i] = newRow(s, &all[i], ztunnels)
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	workers.Wait()
	return slices.DeleteFunc(rows, func(r lsRow) bool { return r.gone() }), err
}

// pidsOf are the processes of the pods with a role.
func pidsOf(all []pods.Pod, r pods.Role) (pids []int) {
	for _, p := range all {
		if p.Role == r {
			pids = append(pids, pidsIn(&p)...)
		}
	}
	return pids
}

func pidsIn(p *pods.Pod) []int {
	pids := make([]int, 0, len(p.Processes))
	for _, q := range p.Processes {
		pids = append(pids, q.PID)
	}
	return pids
}

// newRow is what the scan and the namespace tell about a pod.
func newRow(s pods.Scanner, p *pods.Pod, ztunnels []int) lsRow {
	r := lsRow{
		Target: target(p), Pod: p.Name, Namespace: p.Namespace, UID: p.UID, Workload: p.Workload,
		Inode: p.Inode, Netns: p.Netns, HostNetwork: p.Host && p.UID != "",
		Role: p.Role.String(),
	}
	if home := p.Home(); home != nil {
		r.PID = home.PID
	}
	for _, q := range p.Processes {
		if q.ContainerID != "" && !slices.Contains(r.Containers, q.ContainerID) {
			r.Containers = append(r.Containers, q.ContainerID)
		}
	}
	if p.Host && p.UID != "" {
		return r // the row of the node has the rest
	}
	if r.unread = r.look(s, p, ztunnels); r.unread != nil {
		r.addrs = s.Addrs(p)
		r.Mode = p.Interception
	}
	return r
}

// shortID is how many digits of a container's ID name it, as in "docker ps".
const shortID = 12

// target is how a namespace can be named: as short as is certain.
func target(p *pods.Pod) string {
	home := p.Home()
	switch {
	case p.Name != "" && p.Namespace != "":
		return p.Namespace + "/" + p.Name
	case p.Host && p.UID == "":
		return "host"
	case p.Name != "":
		return p.Name
	case p.Netns != "" && p.UID == "":
		return "netns:" + p.Netns
	case p.UID == "" && home != nil && home.ContainerID != "":
		return "container:" + home.ContainerID[:shortID]
	case p.Inode != 0:
		return fmt.Sprintf("inode:%d", p.Inode)
	case home != nil:
		return fmt.Sprintf("pid:%d", home.PID)
	}
	return p.Title()
}

// look enters the namespace and reads what is there.
func (r *lsRow) look(s pods.Scanner, p *pods.Pod, ztunnels []int) error {
	place, err := open(s, p)
	if err != nil {
		return err
	}
	defer place.ns.Close()
	place.pids = append(pidsIn(p), ztunnels...)
	for _, l := range place.links {
		r.Interfaces = append(r.Interfaces, lsInterface{l.Name, l.Addrs})
		for _, a := range l.Addrs {
			if !l.Loopback && !a.Addr().IsLinkLocalUnicast() {
				r.addrs = append(r.addrs, a.Addr())
			}
		}
	}
	if p.Host {
		return nil // what listens there is nobody's in particular
	}
	f, err := readFacts(place)
	if err != nil {
		return err
	}
	r.Mode = shortMode(f)
	if p.Role == pods.Plain {
		all := append([]uint16{f.pod.Outbound, f.pod.Inbound}, f.pod.Admin...)
		r.Role = pods.RoleOfPorts(append(all, f.pod.Listening...)).String()
	}
	r.AppPorts = sorted(f.pod.Listening...)
	if f.pod.Sidecar() {
		r.ProxyUIDs = f.users
		r.ProxyPorts = sorted(f.pod.Outbound, f.pod.Inbound, f.pod.DNS)
		r.ProxyPorts = sorted(append(r.ProxyPorts, f.served...)...)
	}
	return nil
}

// open opens the namespace of a pod that a scan found.
func open(s pods.Scanner, p *pods.Pod) (*place, error) {
	place := &place{title: p.Title(), pod: p, scanner: s}
	home := p.Home()
	switch {
	case p.Inode == 0:
		return nil, fmt.Errorf("look into %s: %w (needs CAP_SYS_PTRACE)", p.Title(), fs.ErrPermission)
	case home != nil:
		return enter(place, *home)
	}
	return resolve(s, pods.Target{Kind: pods.Netns, Path: p.Netns})
}

// shortMode is the mode in one word, empty where nothing is redirected.
func shortMode(f *facts) string {
	switch {
	case !f.pod.Sidecar():
		return ""
	case f.ambient:
		return "ambient"
	case f.pod.Transparent:
		return "TPROXY"
	}
	return "REDIRECT"
}

// sorted are the ports that are not 0, each once.
func sorted(ports ...uint16) []uint16 {
	ports = slices.DeleteFunc(slices.Clone(ports), func(p uint16) bool { return p == 0 })
	slices.Sort(ports)
	return slices.Compact(ports)
}

// gone says that a namespace went away while it was looked at, or is none.
func (r *lsRow) gone() bool {
	return errors.Is(r.unread, nsswitch.ErrNotNetns) || errors.Is(r.unread, nsswitch.ErrProcessGone) ||
		errors.Is(r.unread, fs.ErrNotExist)
}

// tellUnread says which rows lack what, and why, once for each reason.
func tellUnread(w io.Writer, rows []lsRow) {
	var reasons []string
	count := make(map[string]int)
	for i := range rows {
		if rows[i].unread == nil {
			continue
		}
		r := reason(rows[i].unread)
		if count[r] == 0 {
			reasons = append(reasons, r)
		}
		count[r]++
	}
	for _, r := range reasons {
		fmt.Fprintf(w, "icap: shown without interfaces, mode and ports: %d of %d namespaces: %s\n", count[r], len(rows), printable(r))
	}
}

// reason is an error without what only one namespace has: the privilege that
// is missing.
func reason(err error) string {
	if _, capability, ok := strings.Cut(err.Error(), "(needs "); ok && errors.Is(err, fs.ErrPermission) {
		return "permission denied (needs " + capability
	}
	return err.Error()
}
