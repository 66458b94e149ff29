package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"icap/internal/kernel"
)

// newcomers are the interfaces that come into a namespace while all of them
// (-i any) are captured. They join the capture.
type newcomers struct {
	session *session
	place   *place
	expr    string
	known   map[int]bool // by index
	events  *os.File
}

// welcome lets interfaces that come later join. It looks for them from now on.
func (s *session) welcome(p *place, expr string) error {
	n := &newcomers{session: s, place: p, expr: expr, known: make(map[int]bool)}
	err := p.ns.Do(func() (err error) {
		n.events, err = kernel.LinkEvents()
		return err
	})
	if err != nil {
		return fmt.Errorf("watch the interfaces of %s: %w", p, err)
	}
	for _, link := range p.links {
		n.known[link.Index] = true
	}
	s.newcomers = n
	s.follow()
	return nil
}

// Close ends the watch.
func (n *newcomers) Close() error { return n.events.Close() }

// run lets interfaces join until the context ends.
func (n *newcomers) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { _ = n.Close() })() // only read from
	message := make([]byte, 1<<16)
	for ctx.Err() == nil {
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintf(n.session.errs, "icap: %s\n", printable(err.Error()))
		}
		// Too many events at once (ENOBUFS) are a reason to look, too.
		if _, err := n.events.Read(message); errors.Is(err, os.ErrClosed) {
			return
		}
	}
}

// look lets the interfaces join that are not known yet.
func (n *newcomers) look(ctx context.Context) (err error) {
	now := *n.place
	if err := now.look(); err != nil {
		return err
	}
	for _, link := range now.usable() {
		if n.known[link.Index] {
			continue
		}
		n.known[link.Index] = true
		src, serr := n.session.flags.plainSource(n.place, link, n.expr)
		if serr == nil {
			serr = n.session.join(ctx, n.place, []*source{src}, nil)
		}
		err = errors.Join(err, serr)
	}
	return err
}
