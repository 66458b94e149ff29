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
	why        string
	keep       []sandbox.Capability
	look, open bool
}

// guard gives up all that the capture does not need from now on: everything is
// open, and nothing of what strangers send has been looked at.
func (s *session) guard() error {
	f := &s.flags.guard
	if f.off {
		fmt.Fprintln(s.errs, "icap: sandbox: off")
		return nil
	}
	c := sandbox.Config{User: f.user}
	var why []string
	for _, n := range s.needs() {
		why = append(why, n.why)
		for _, k := range n.keep {
			if !slices.Contains(c.Keep, k) {
				c.Keep = append(c.Keep, k)
			}
		}
		c.Look, c.Open = c.Look || n.look, c.Open || n.open
	}
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

// needs are what the flags and the pods ask for.
func (s *session) needs() (all []need) {
	if len(s.followers)+len(s.recruiters) > 0 && s.following {
		n := need{"--follow", []sandbox.Capability{
			sandbox.NetRaw, sandbox.SysAdmin, sandbox.SysPtrace, sandbox.NetAdmin, sandbox.DACReadSearch,
		}, true, true}
		if len(s.recruiters) > 0 && s.flags.guard.user != nil {
			n.keep = append(n.keep, sandbox.DACOverride) // the container runtime's socket is root's
		}
		all = append(all, n)
	}
	if s.newcomers != nil {
		n := need{why: "interfaces that come (-i any)", keep: []sandbox.Capability{sandbox.NetRaw}, open: true}
		if !isOwn(s.newcomers.place.ns) {
			n.keep = append(n.keep, sandbox.SysAdmin)
		}
		all = append(all, n)
	}
	if s.flags.keys.path != "" {
		all = append(all, s.flags.keys.need())
	}
	if s.flags.guard.looks || slices.ContainsFunc(s.sources, func(src *source) bool { return src.openers.looks() }) {
		all = append(all, need{"processes and their sockets",
			[]sandbox.Capability{sandbox.SysPtrace, sandbox.DACReadSearch}, true, false})
	}
	// The processes of a pod of Kubernetes are known by their cgroup, which
	// everybody may see.
	if slices.ContainsFunc(s.followers, func(f *follower) bool {
		p := f.place.pod
		return p != nil && !p.Host && p.UID == ""
	}) {
		all = append(all, need{"the end of a namespace", []sandbox.Capability{sandbox.SysPtrace}, true, false})
	}
	if dir, ok := s.foreign(); ok {
		all = append(all, need{"new files in " + dir, []sandbox.Capability{sandbox.DACOverride}, false, false})
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
