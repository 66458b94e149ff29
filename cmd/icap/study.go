package main

import (
	"os"

	"icap/internal/kernel"
)

// What follows takes privileges. Where the capture has given them up, its helper
// does it.

// study reads what is in a place now, and what it is.
func (p *place) study() (*facts, error) {
	if p.helper != nil {
		return p.helper.study(p)
	}
	if err := p.readLinks(); err != nil {
		return nil, err
	}
	f, err := readFacts(p)
	if err != nil {
		return nil, err
	}
	f.readConnections(p)
	p.about = about(p, f)
	return f, nil
}

// look reads the interfaces of a place.
func (p *place) look() (err error) {
	if p.helper == nil {
		return p.readLinks()
	}
	p.links, err = p.helper.links(p)
	return err
}

// connections are those that the kernel of a place keeps track of.
func (p *place) connections() (all []kernel.Connection, err error) {
	if p.helper != nil {
		return p.helper.connections(p)
	}
	err = p.ns.Do(func() (err error) {
		all, err = kernel.Connections()
		return err
	})
	return all, err
}

// watch begins to be told of them.
func (p *place) watch() (w *kernel.Watch, err error) {
	if p.helper != nil {
		return p.helper.watch(p)
	}
	err = p.ns.Do(func() (err error) {
		w, err = kernel.WatchConnections()
		return err
	})
	return w, err
}

// ruleEvents opens what tells of changes of the place's rules.
func (p *place) ruleEvents() (f *os.File, err error) {
	if p.helper != nil {
		return p.helper.rules(p)
	}
	err = p.ns.Do(func() (err error) {
		f, err = kernel.RuleEvents()
		return err
	})
	return f, err
}

// holds reports whether one of some processes, the proxy's or its agents', has
// the socket of an inode.
func (p *place) holds(processes []int, inode uint64, agents bool) (bool, error) {
	if p.helper != nil {
		return p.helper.holds(p, inode, agents)
	}
	owners, err := kernel.OwnersAmong(p.scanner.Proc, processes, []uint64{inode})
	_, found := owners[inode]
	return found, err
}

// close gives a place back that was found.
func (p *place) close() {
	_ = p.ns.Close() // it was only read
	if p.helper != nil {
		p.helper.forget(p)
	}
}
