package main

import (
	"context"
	"fmt"

	"icap/internal/pods"
	"icap/internal/pods/cri"
	"icap/istiofilter"
)

// A recruiter looks for pods that have certain labels while a capture runs,
// and lets those join it that come later. It takes the place of looking for a
// pod by its name: one that is replaced has another.
type recruiter struct {
	session *session
	labels  string // what ParseSelector reads
	legs    istiofilter.Legs
	expr    string

	trouble string            // with the container runtime, as told
	told    map[string]string // trouble with pods by UID
}

// recruit begins to look for pods with labels when the capture runs.
func (s *session) recruit(labels string, legs istiofilter.Legs, expr string) {
	s.recruiters = append(s.recruiters, &recruiter{session: s, labels: labels, legs: legs, expr: expr, told: make(map[string]string)})
}

// run looks until the context ends.
func (r *recruiter) run(ctx context.Context) {
	for p := r.session.bell.newPace(); p.wait(ctx, lookEvery); {
		r.look(ctx)
	}
}

// look lets the pods join that have the labels and are not captured yet.
func (r *recruiter) look(ctx context.Context) {
	chosen, err := r.list(ctx)
	now := ""
	if err != nil {
		now = printable(err.Error())
	}
	if now != r.trouble && ctx.Err() == nil {
		r.trouble = now
		if now != "" {
			fmt.Fprintf(r.session.errs, "icap: no pod can join by its labels: %s\n", now)
		}
	}
	for i := range chosen {
		if r.session.claim(chosen[i].UID) {
			r.join(ctx, choiceOf(&chosen[i]), i)
		}
	}
}

// target is what the recruiter goes by.
func (r *recruiter) target() pods.Target { return pods.Target{Kind: pods.Labels, Labels: r.labels} }

// list are the pods that have the labels.
func (r *recruiter) list(ctx context.Context) ([]cri.Sandbox, error) {
	if h := r.session.helper; h != nil {
		return h.list(ctx, r.target())
	}
	chosen, _, err := r.session.flags.labelled(ctx, r.labels)
	return chosen, err
}

// join lets a pod join that was claimed, or gives it up until the next look:
// its network may not be set up yet.
func (r *recruiter) join(ctx context.Context, c choice, number int) {
	s, uid := r.session, c.sandbox.UID
	p, err := s.find(r.target(), number, c)
	if err != nil {
		s.giveUp(uid)
		return
	}
	if p.pod.Host {
		fmt.Fprintf(s.errs, "icap: note: %s has the labels, and the network of the node: it does not join\n", printable(p.title))
		p.close()
		return
	}
	if err := s.enlist(ctx, p, c.Target, r.legs, r.expr); err != nil {
		if now := printable(err.Error()); now != r.told[uid] && ctx.Err() == nil {
			fmt.Fprintf(s.errs, "icap: %s has the labels, but is not as wanted yet: %s\n", printable(p.title), now)
			r.told[uid] = now
		}
		p.close()
		s.giveUp(uid)
		return
	}
	delete(r.told, uid)
}

// enlist lets a place join that a target stands for, and follows it. With an
// error it is the caller's to close.
func (s *session) enlist(ctx context.Context, p *place, t pods.Target, legs istiofilter.Legs, expr string) error {
	f := &follower{session: s, target: t, legs: legs, expr: s.spare(p, expr)}
	if _, err := p.first(); err != nil {
		return err
	}
	if err := f.join(ctx, p); err != nil {
		return err
	}
	s.mu.Lock()
	s.followers = append(s.followers, f)
	s.mu.Unlock()
	s.watching.Go(func() { f.run(ctx) })
	return nil
}

// claim makes a pod that of the caller, if nobody captures it.
func (s *session) claim(uid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed[uid] {
		return false
	}
	if s.claimed == nil {
		s.claimed = make(map[string]bool)
	}
	s.claimed[uid] = true
	return true
}

// giveUp ends a claim.
func (s *session) giveUp(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.claimed, uid)
}
