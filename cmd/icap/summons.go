package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"icap/internal/pods"
	"icap/istiofilter"
)

// A summons lets targets join that standard input names while a capture runs,
// one a line. What starts icap on many nodes knows of a pod as soon as it is to
// be one of this node, and that is before its first process.
type summons struct {
	session *session
	legs    istiofilter.Legs
	expr    string
	named   chan pods.Target
}

// summon begins to let targets join when the capture runs.
func (s *session) summon(legs istiofilter.Legs, expr string) {
	s.follow()
	s.summons = &summons{session: s, legs: legs, expr: expr, named: make(chan pods.Target)}
}

// read takes the names to the end of the input. What is no target is told, and
// left out.
func (m *summons) read(ctx context.Context, in io.Reader) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		t, err := pods.ParseTarget(line)
		if err == nil && t.Kind == pods.Labels {
			err = fmt.Errorf("target %.300q: labels stand for targets, and are none", line)
		}
		if err != nil {
			fmt.Fprintf(m.session.errs, "icap: --join-stdin: %s\n", printable(err.Error()))
			continue
		}
		select {
		case m.named <- t:
		case <-ctx.Done():
			return
		}
	}
}

// run waits for the named targets until the context ends.
func (m *summons) run(ctx context.Context) {
	for {
		select {
		case t := <-m.named:
			m.session.watching.Go(func() { m.await(ctx, t) })
		case <-ctx.Done():
			return
		}
	}
}

// summonPatience is how long a target that was named is waited for.
const summonPatience = 10 * time.Minute

// await lets a target join as soon as it is there.
func (m *summons) await(ctx context.Context, t pods.Target) {
	within, cancel := context.WithTimeoutCause(ctx, summonPatience, fmt.Errorf("not there after %v", summonPatience))
	defer cancel()
	look := m.session.bell.newPace()
	look.rang = time.Now() // it may have come before it was named
	for {
		err := m.join(ctx, t) // who follows it does so for longer
		if err == nil {
			return
		}
		if !look.wait(within, lookEvery) {
			if ctx.Err() == nil {
				fmt.Fprintf(m.session.errs, "icap: %s: %v: %s\n", t, context.Cause(within), printable(err.Error()))
			}
			return
		}
	}
}

// join lets a target join now, unless it is captured already.
func (m *summons) join(ctx context.Context, t pods.Target) error {
	s := m.session
	p, err := resolve(s.flags.scanner(), t)
	if err != nil {
		return err
	}
	p.succeeded = true
	if p.pod != nil && !s.claim(p.pod.UID) {
		return p.ns.Close()
	}
	if err := s.enlist(ctx, p, t, m.legs, m.expr); err != nil {
		if p.pod != nil {
			s.giveUp(p.pod.UID)
		}
		return errors.Join(err, p.ns.Close())
	}
	return nil
}
