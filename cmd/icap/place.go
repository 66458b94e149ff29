package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/nsswitch"
	"icap/pcapwriter"
)

// A place is a network namespace to capture in.
type place struct {
	ns    *nsswitch.NS
	title string // for names in the file; empty for the namespace of icap
	pod   *pods.Pod
	pid   int // a process of the namespace, 0 if not known
	links []kernel.Link
	// cookie is never that of another namespace, as an inode is soon after its
	// namespace is gone; 0 if the kernel has none.
	cookie uint64
	about  string // role and mode of a pod, in words

	gateway bool // what is not redirected is captured as that of a gateway

	scanner pods.Scanner
	target  pods.Target // that it was found by

	// succeeded says that the pod's successor joins by itself: by its labels, or
	// because standard input names it.
	succeeded bool

	// helper, if not nil, does what takes privileges, and knows the place by its
	// number. It has told the names of other pods' addresses.
	helper *helper
	number uint32
	others []pcapwriter.Name

	// pids are the processes that can hold the sockets of the namespace, nil
	// for any.
	pids []int
}

// Link types of packet(7) whose frames begin with an Ethernet header.
const (
	arphrdEther    = 1
	arphrdLoopback = 772
)

// here is the namespace that icap was started in.
func here() (*place, error) {
	ns, err := nsswitch.Current()
	if err != nil {
		return nil, err
	}
	return look(&place{ns: ns})
}

// scanner reads the proc file system that the flags name.
func (f *captureFlags) scanner() pods.Scanner { return pods.Scanner{Proc: f.procRoot} }

// find opens the namespace of a target that stands for one.
func (f *captureFlags) find(target string) (*place, error) {
	places, err := f.findAll([]string{target})
	if err != nil {
		return nil, err
	}
	if len(places) > 1 {
		names := make([]string, len(places))
		for i, p := range places {
			names[i] = p.title
		}
		return nil, errors.Join(usagef("%s: only one can be captured here, not %s", target, strings.Join(names, ", ")), closeAll(places))
	}
	return places[0], nil
}

// resolve opens the namespace that a target stands for now.
func resolve(s pods.Scanner, t pods.Target) (*place, error) {
	found, err := s.Resolve(t)
	if err != nil {
		return nil, err
	}
	p := &place{title: found.Title, pod: found.Pod, scanner: s, target: t}
	if found.Process != nil {
		return enter(p, *found.Process)
	}
	if p.ns, err = nsswitch.Open(found.Path); err != nil {
		return nil, err
	}
	return look(p)
}

// enter opens the namespace of a process for a place.
func enter(p *place, proc pods.Process) (_ *place, err error) {
	p.pid = proc.PID
	p.ns, err = nsswitch.Proc{Root: p.scanner.Proc}.Open(nsswitch.Process{PID: proc.PID, Start: proc.Start})
	if err != nil {
		return nil, err
	}
	return look(p)
}

// owners are the processes that hold sockets of the namespace. Those that may
// not be looked into are left out, and the error says so.
func (p *place) owners(inodes []uint64) (map[uint64]kernel.Process, error) {
	return kernel.OwnersAmong(p.scanner.Proc, p.pids, inodes)
}

// look asks the namespace for its interfaces.
func look(p *place) (*place, error) {
	if err := p.readLinks(); err != nil {
		return nil, errors.Join(err, p.ns.Close())
	}
	return p, nil
}

func (p *place) readLinks() error {
	return p.ns.Do(func() (err error) {
		p.cookie = kernel.NamespaceCookie()
		p.links, err = kernel.Links()
		return err
	})
}

// is reports whether two places are the same namespace, though the one may be
// gone.
func (p *place) is(q *place) bool {
	if p.cookie != 0 && q.cookie != 0 {
		return p.cookie == q.cookie
	}
	return p.ns.ID() == q.ns.ID()
}

// named returns the interfaces of these names, all of them for "any". Without
// a name it is the one that tcpdump would take: the first that is up and not
// loopback.
func (p *place) named(names []string) ([]kernel.Link, error) {
	if len(names) == 0 {
		return p.first()
	}
	var links []kernel.Link
	for _, name := range names {
		name = p.numbered(name)
		if name == anyInterface {
			links = append(links, p.usable()...)
			continue
		}
		i := indexByName(p.links, name)
		if i < 0 {
			return nil, fmt.Errorf("no interface %q in %s; there are %s", name, p, p.list())
		}
		if !usable(p.links[i]) {
			return nil, fmt.Errorf("interface %q in %s has link type %d; icap captures Ethernet and loopback", name, p, p.links[i].Type)
		}
		links = append(links, p.links[i])
	}
	slices.SortStableFunc(links, func(a, b kernel.Link) int { return a.Index - b.Index })
	return slices.CompactFunc(links, func(a, b kernel.Link) bool { return a.Index == b.Index }), nil
}

// chosen returns the interfaces of these names, or all that are usable.
func (p *place) chosen(names []string) ([]kernel.Link, error) {
	if len(names) == 0 {
		return p.usable(), nil
	}
	return p.named(names)
}

// captured are the chosen interfaces. Those of a node that have no address are
// parts of others, such as the ports of a bridge, and show the same packets.
func (p *place) captured(names []string, node bool) ([]kernel.Link, error) {
	links, err := p.chosen(names)
	if err != nil || !node || len(names) > 0 {
		return links, err
	}
	return slices.DeleteFunc(links, func(l kernel.Link) bool {
		return !slices.ContainsFunc(l.Addrs, func(a netip.Prefix) bool { return !a.Addr().IsLinkLocalUnicast() })
	}), nil
}

func indexByName(links []kernel.Link, name string) int {
	return slices.IndexFunc(links, func(l kernel.Link) bool { return l.Name == name })
}

func (p *place) first() ([]kernel.Link, error) {
	for _, l := range p.listed() {
		if l.Up && !l.Loopback && l.Name != anyInterface {
			return []kernel.Link{l}, nil
		}
	}
	return nil, usagef("no interface in %s is up but loopback; choose one with -i: %s", p, p.list())
}

// usable are the interfaces that icap can capture on.
func (p *place) usable() []kernel.Link {
	return slices.DeleteFunc(slices.Clone(p.links), func(l kernel.Link) bool { return !usable(l) })
}

func usable(l kernel.Link) bool { return l.Type == arphrdEther || l.Type == arphrdLoopback }

func (p *place) list() string {
	names := make([]string, len(p.links))
	for i, l := range p.links {
		names[i] = fmt.Sprintf("%q", l.Name)
	}
	return strings.Join(names, ", ")
}

// String says in messages which namespace it is.
func (p *place) String() string {
	if p.title == "" {
		return "this network namespace"
	}
	return p.title
}
