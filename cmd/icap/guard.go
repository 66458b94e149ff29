package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"icap/internal/sandbox"
	"icap/nsswitch"
)

// guardFlags say what icap gives up once everything is open.
type guardFlags struct {
	off  bool
	name string
	user *sandbox.User // of that name
	// looks is set where processes are looked into while packets come.
	looks bool
}

func (f *guardFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.off, "no-sandbox", false, "keep all privileges while packets come")
	fs.StringVarP(&f.name, "relinquish-privileges", "Z", "", "become this user once everything is open; files are the user's")
}

// check refuses unknown users before anything is opened.
func (f *guardFlags) check() (err error) {
	switch {
	case f.name == "":
		return nil
	case f.off:
		return usagef("-Z and --no-sandbox exclude each other")
	}
	if f.user, err = sandbox.LookUpUser(f.name); err != nil {
		return usagef("-Z: %w", err)
	}
	if os.Geteuid() == f.user.UID {
		f.user = nil
	}
	return nil
}

// own gives a new file to the user that icap becomes.
func (f *guardFlags) own(file *os.File, err error) (*os.File, error) {
	if err != nil || f.user == nil || os.Geteuid() == f.user.UID {
		return file, err
	}
	if st, err := file.Stat(); err != nil || !st.Mode().IsRegular() {
		return file, err
	}
	if err := file.Chown(f.user.UID, f.user.GID); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// A need is what a capture cannot do without after it has begun.
type need struct {
	why  string
	keep []sandbox.Capability
	look bool // into processes
}

// guard gives up all that the capture does not need from now on: everything is
// open, and nothing of what strangers send has been looked at. What it takes to
// open more goes to a helper before.
func (s *session) guard() error {
	f := &s.flags.guard
	if f.off {
		fmt.Fprintln(s.errs, "icap: sandbox: off")
		return nil
	}
	asked := s.helperNeeds()
	// What standard input names comes to the capture: a helper would have to
	// believe it.
	apart := len(asked) > 0 && s.summons == nil
	if apart {
		keep, why := sum(asked)
		layers, err := s.startHelper(keep, slices.ContainsFunc(asked, func(n need) bool { return n.look }))
		if err != nil {
			return fmt.Errorf("%w (--no-sandbox does without a helper)", err)
		}
		fmt.Fprintf(s.errs, "icap: helper for %s, a process of its own: %s\n", strings.Join(why, ", "), printable(layers))
	}
	c := sandbox.Config{User: f.user, Open: len(asked) > 0 && !apart}
	needs := s.needs()
	if !apart {
		needs = append(needs, asked...)
	}
	var why []string
	c.Keep, why = sum(needs)
	c.Look = slices.ContainsFunc(needs, func(n need) bool { return n.look })
	c.Write, c.Remove = s.writable()
	layers, err := sandbox.Enter(c)
	if err != nil {
		return err
	}
	if s.flags.rings.fanout > 1 {
		layers.Off = append(layers.Off, "locked filters (rings of --fanout stop by theirs)")
	} else {
		layers.On = append(layers.On, "filters locked")
	}
	text := layers.String()
	if len(why) > 0 {
		text += "; kept for " + strings.Join(why, ", ")
	}
	fmt.Fprintf(s.errs, "icap: sandbox: %s\n", printable(text))
	return nil
}

// sum is what all needs together keep, and what for.
func sum(needs []need) (keep []sandbox.Capability, why []string) {
	for _, n := range needs {
		why = append(why, n.why)
		for _, k := range n.keep {
			if !slices.Contains(keep, k) {
				keep = append(keep, k)
			}
		}
	}
	return keep, why
}

// helperNeeds are what the helper has to keep, none if nothing will be opened.
func (s *session) helperNeeds() (all []need) {
	if len(s.followers)+len(s.recruiters) > 0 && s.following {
		n := need{"--follow", []sandbox.Capability{
			sandbox.NetRaw, sandbox.SysAdmin, sandbox.SysPtrace, sandbox.NetAdmin, sandbox.DACReadSearch,
		}, true}
		if len(s.recruiters) > 0 && s.flags.guard.user != nil {
			n.keep = append(n.keep, sandbox.DACOverride) // the container runtime's socket is root's
		}
		all = append(all, n)
	}
	if s.newcomers != nil {
		n := need{"interfaces that come (-i any)", []sandbox.Capability{sandbox.NetRaw}, false}
		if !isOwn(s.newcomers.place.ns) {
			n.keep = append(n.keep, sandbox.SysAdmin)
		}
		all = append(all, n)
	}
	return all
}

// needs are what the flags and the pods ask for, beside what the helper does.
func (s *session) needs() (all []need) {
	if s.flags.keys.path != "" {
		all = append(all, s.flags.keys.need())
	}
	if s.flags.guard.looks || s.helper == nil && slices.ContainsFunc(s.sources, func(src *source) bool { return src.openers.looks() }) {
		all = append(all, need{"processes and their sockets", []sandbox.Capability{sandbox.SysPtrace, sandbox.DACReadSearch}, true})
	}
	// The processes of a pod of Kubernetes are known by their cgroup, which
	// everybody may see.
	if s.helper == nil && slices.ContainsFunc(s.followers, func(f *follower) bool {
		p := f.place.pod
		return p != nil && !p.Host && p.UID == ""
	}) {
		all = append(all, need{"the end of a namespace", []sandbox.Capability{sandbox.SysPtrace}, true})
	}
	if dir, ok := s.foreign(); ok {
		all = append(all, need{"new files in " + dir, []sandbox.Capability{sandbox.DACOverride}, false})
	}
	return all
}

// looks reports whether processes are looked into to tell who has a socket.
func (o *openers) looks() bool {
	return o != nil && (slices.Contains(o.proxy.users, 0) || o.shared())
}

// isOwn reports whether a namespace is the one that icap runs in.
func isOwn(ns *nsswitch.NS) bool {
	own, err := nsswitch.Current()
	if err != nil {
		return false
	}
	defer own.Close()
	return own.ID() == ns.ID()
}

// writable are the directories in which files come into being while the capture
// runs, and those where one that has remained empty is removed.
func (s *session) writable() (write, remove []string) {
	for _, path := range s.flags.outputs() {
		dir := filepath.Dir(path)
		switch st, err := os.Lstat(path); {
		case path == "" || path == "-":
		case s.flags.rotation.rotates(), s.flags.trigger.perEvent:
			write = append(write, dir)
		case err == nil && st.Mode().IsRegular():
			remove = append(remove, dir)
		}
	}
	return slices.Compact(write), slices.Compact(remove)
}

// foreign is a directory in which files are to come into being, and may not
// without a capability.
func (s *session) foreign() (dir string, ok bool) {
	write, _ := s.writable()
	for _, dir := range write {
		if !sandbox.MayWrite(dir, s.flags.guard.user) {
			return dir, true
		}
	}
	return "", false
}
