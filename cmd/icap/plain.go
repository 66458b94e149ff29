package main

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"icap/afpacket"
	"icap/internal/kernel"
)

// runCapture captures on interfaces as tcpdump does, in this namespace or in
// that of --netns or --pid.
func runCapture(f *captureFlags) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		expr, err := f.other.expression(args)
		if err != nil {
			return err
		}
		if err := f.other.prefer(&f.print); err != nil {
			return err
		}
		if err := f.checkExpression(expr); err != nil {
			return hintCommand(cmd, args, err)
		}
		if done, err := f.other.instead(cmd, f, expr); done {
			return err
		}
		if err := f.readListed(); err != nil {
			return err
		}
		if len(f.files) > 0 {
			return f.readInstead(cmd, expr)
		}
		p, err := f.place()
		if err != nil {
			return err
		}
		defer p.ns.Close()
		return f.captureIn(cmd, p, expr, os.Stdout)
	}
}

// captureIn captures on interfaces of a place. Packets that go to standard
// output go to out.
func (f *captureFlags) captureIn(cmd *cobra.Command, p *place, expr string, out *os.File) error {
	links, err := p.named(f.names())
	if err != nil {
		return err
	}
	s := newSession(cmd, f)
	s.out = out
	expr = s.spare(p, expr)
	for _, link := range links {
		src, err := f.plainSource(p, link, expr)
		if err != nil {
			return err
		}
		s.sources = append(s.sources, src)
	}
	s.trackLoopback(p)
	if slices.ContainsFunc(f.names(), func(name string) bool { return p.numbered(name) == anyInterface }) && !f.rings.split {
		if err := s.welcome(p, expr); err != nil {
			return err
		}
		defer s.newcomers.Close()
	}
	return s.run(cmd.Context())
}

// trackLoopback has redirected connections known, if they are to be stitched.
func (s *session) trackLoopback(p *place) {
	loopback := func(src *source) bool { return src.link.Loopback }
	if i := slices.IndexFunc(s.sources, loopback); i >= 0 && s.flags.stitch {
		s.sources[i].tracking = s.track(p, nil, true)
	}
}

// plainSource is an interface with a filter, and without legs.
func (f *captureFlags) plainSource(p *place, link kernel.Link, expr string) (*source, error) {
	src := &source{place: p, link: link, expr: expr, config: f.ring(afpacket.DefaultGeometry)}
	src.config.Promiscuous = !f.noPromisc && !link.Loopback
	return src, src.compileFor(f)
}

// checkExpression checks the flags and the filter, before a namespace is
// entered.
func (f *captureFlags) checkExpression(expr string) error {
	if err := f.check(); err != nil {
		return err
	}
	_, err := f.compile(expr, anyMask)
	return err
}

// anyMask stands for the netmask of an interface that is not known yet.
var anyMask = netip.AddrFrom4([4]byte{255, 255, 255, 0})

// place is the namespace that the flags name.
func (f *captureFlags) place() (*place, error) {
	switch {
	case f.pid != 0:
		return f.find(fmt.Sprintf("pid:%d", f.pid))
	case f.netns != "":
		return f.find("netns:" + f.netns)
	default:
		return here()
	}
}

func newSession(cmd *cobra.Command, f *captureFlags) *session {
	return &session{
		flags:   f,
		errs:    &console{out: cmd.ErrOrStderr()},
		out:     os.Stdout,
		comment: "command: " + strings.Join(os.Args, " "),
	}
}
