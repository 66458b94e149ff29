package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"icap/internal/capture"
	"icap/internal/pods"
	"icap/istiofilter"
)

// A follower notices the end of a pod that is captured. With --follow it finds
// the pod again, and lets its new interfaces join the capture.
type follower struct {
	session *session
	target  pods.Target // by which the pod is found again
	legs    istiofilter.Legs
	expr    string

	place   *place
	facts   *facts
	sources []*source
	rules   *os.File // tells that the pod's rules change; nil where nothing does
	gone    atomic.Bool
}

// errPodGone ends a capture whose pods were all deleted.
var errPodGone = errors.New("the pod is gone")

// findAgainBy keeps how the pod is found again: by its name, because all else
// is another's after a restart.
func (f *follower) findAgainBy(t pods.Target) error {
	f.target = t
	p := f.place.pod
	switch {
	case !f.session.following, f.place.succeeded:
		return nil
	case p != nil && p.Name != "" && !p.Host:
		f.target = pods.Target{Kind: pods.Name, Namespace: p.Namespace, Name: p.Name}
		return nil
	case f.place.pid == 0 && (t.Kind == pods.Netns || t.Kind == pods.Name):
		return nil
	}
	return usagef("--follow: %s cannot be found again: it has no name", t)
}

// follow makes the session go on with pods that come back.
func (s *session) follow() {
	s.following = true
	s.more = make(chan *capture.Addition)
}

// startFollowers begins to watch all pods, and what interfaces come.
func (s *session) startFollowers(ctx context.Context) {
	if s.newcomers != nil {
		s.watching.Go(func() { s.newcomers.run(ctx) })
	}
	s.bell.listen(ctx, &s.watching)
	if s.helper != nil {
		s.watching.Go(func() { s.awaitHelper(ctx) })
	}
	// Recruiters add to them.
	for _, f := range slices.Clone(s.followers) {
		s.watching.Go(func() { f.run(ctx) })
	}
	for _, r := range s.recruiters {
		s.watching.Go(func() { r.run(ctx) })
	}
	if s.summons != nil {
		s.watching.Go(func() { s.summons.run(ctx) })
	}
}

// podsGone is errPodGone if no pod is left of those that were captured.
func (s *session) podsGone() error {
	if len(s.recruiters) > 0 || s.summons != nil {
		return nil // more would have joined
	}
	for _, f := range s.followers {
		if !f.gone.Load() {
			return nil
		}
	}
	if len(s.followers) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", s.followers[len(s.followers)-1].place, errPodGone)
}

// run followers until the context ends, or the pod has for good.
func (f *follower) run(ctx context.Context) {
	for f.live(ctx) {
		f.session.stop(f.sources)
		title := printable(f.place.title)
		if f.place.pod != nil {
			f.session.giveUp(f.place.pod.UID)
		}
		if !f.session.following || f.place.succeeded {
			fmt.Fprintf(f.session.errs, "icap: %s is gone\n", title)
			f.gone.Store(true)
			return
		}
		fmt.Fprintf(f.session.errs, "icap: %s is gone; waiting for it to come back\n", title)
		f.place.close()
		if !f.comeBack(ctx) {
			return
		}
	}
}

// live returns true when the pod has ended, and false when the context has.
// Meanwhile it looks whether the pod becomes another: its proxy can come up
// long after its sandbox.
func (f *follower) live(ctx context.Context) bool {
	const firstLook, lastLook = 100 * time.Millisecond, time.Minute
	within, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func(p *place) { ended <- f.awaitEnd(within, p) }(f.place)
	var look <-chan time.Time
	var changes <-chan struct{}
	wait := firstLook
	if f.session.following {
		look = time.After(wait)
	}
	if f.rules != nil {
		changes = f.ruleChanges()
		defer f.rules.Close()
	}
	defer cancel()
	for {
		select {
		case err := <-ended:
			return err == nil
		case <-changes:
			f.refresh(ctx)
			// The proxy follows its rules.
			wait = firstLook
			look = time.After(wait)
		case <-look:
			f.refresh(ctx)
			look = nil
			if wait *= 2; wait <= lastLook {
				look = time.After(wait)
			}
		}
	}
}

// watchRules opens what tells of changes of the pod's rules. Where it may not
// know, or the rules are those of iptables-legacy, there is nothing.
func (f *follower) watchRules(p *place) {
	var err error
	if f.rules, err = p.ruleEvents(); err != nil {
		f.rules = nil // the looks from time to time are left
	}
}

// ruleChanges tells when the rules of the pod change, until their file is closed.
func (f *follower) ruleChanges() <-chan struct{} {
	events, changes := f.rules, make(chan struct{}, 1)
	go func() {
		for message := make([]byte, 1<<16); ; {
			// Too many events at once (ENOBUFS) are a reason to look, too.
			if _, err := events.Read(message); errors.Is(err, os.ErrClosed) {
				return
			}
			select {
			case changes <- struct{}{}:
			default:
			}
		}
	}()
	return changes
}

// awaitEnd waits for the end of the pod; of what is no pod, for its file to
// become another's. What is neither has no end.
func (f *follower) awaitEnd(ctx context.Context, p *place) error {
	switch {
	case p.pod != nil && !p.pod.Host && p.helper != nil:
		return p.helper.awaitEnd(ctx, p)
	case p.pod != nil && !p.pod.Host:
		return p.scanner.AwaitEnd(ctx, p.pod)
	case f.session.following && p.pid == 0:
		return f.awaitFile(ctx, p)
	}
	<-ctx.Done()
	return ctx.Err()
}

// awaitFile waits until the target leads elsewhere or nowhere.
func (f *follower) awaitFile(ctx context.Context, p *place) error {
	for look := f.session.bell.newPace(); look.wait(ctx, lookEvery); {
		if !f.leadsTo(p) {
			return nil
		}
	}
	return ctx.Err()
}

// leadsTo reports whether the target still stands for a place.
func (f *follower) leadsTo(p *place) bool {
	if p.helper != nil {
		return p.helper.same(f.target, p)
	}
	now, err := resolve(p.scanner, f.target)
	if err != nil {
		return false
	}
	defer now.close()
	return now.is(p)
}

// lookEvery is how often a pod that is gone is looked for while nothing rings
// the bell, and lookPatience how long it is looked for that often: then it is
// five times less.
const (
	lookEvery    = time.Second
	lookPatience = time.Minute
)

// comeBack waits for the pod and lets it join. It returns false when the
// context ends first.
func (f *follower) comeBack(ctx context.Context) bool {
	begin, told := time.Now(), ""
	look := f.session.bell.newPace()
	look.rang = begin // which may have been before it was gone
	for {
		wait := lookEvery
		if time.Since(begin) > lookPatience {
			wait *= 5
		}
		if p := f.find(); p != nil {
			err := f.rejoin(ctx, p)
			if err == nil {
				return true
			}
			if now := printable(err.Error()); now != told {
				fmt.Fprintf(f.session.errs, "icap: %s is back, but not as wanted yet: %s\n", printable(p.title), now)
				told = now
			}
			p.close()
		}
		if !look.wait(ctx, wait) {
			return false
		}
	}
}

// find returns the pod if it is back, with the network set up. An error is as
// good as none: it may be better the next time.
func (f *follower) find() *place {
	p, err := f.session.find(f.target, 0, choice{Target: f.target})
	if err != nil {
		return nil
	}
	if _, err := p.first(); err != nil || p.is(f.place) {
		p.close()
		return nil
	}
	return p
}

// find opens the namespace of a choice, which is a target, or the one of a number
// among the pods with the target's labels.
func (s *session) find(t pods.Target, number int, c choice) (*place, error) {
	if s.helper != nil {
		return s.helper.find(t, number, c)
	}
	return c.find(s.flags.scanner())
}

// rejoin lets the pod join again, unless it does so by its labels.
func (f *follower) rejoin(ctx context.Context, p *place) error {
	if p.pod == nil {
		return f.join(ctx, p)
	}
	if !f.session.claim(p.pod.UID) {
		return errClaimed
	}
	err := f.join(ctx, p)
	if err != nil {
		f.session.giveUp(p.pod.UID)
	}
	return err
}

// errClaimed is about a pod that is captured already.
var errClaimed = errors.New("it is captured by its labels")

// join lets a place join the capture, as what the pod is now.
func (f *follower) join(ctx context.Context, p *place) error {
	facts, err := p.study()
	if err != nil {
		return err
	}
	sources, err := f.newSources(p, facts)
	if err != nil {
		return err
	}
	f.session.tellPod(p, facts)
	if err := f.session.join(ctx, p, sources, nil); err != nil {
		return err
	}
	f.place, f.facts, f.sources = p, facts, sources
	f.watchRules(p)
	return nil
}

// refresh reads again what the pod is, and begins anew if it has become more.
// The old rings go when the new ones are on the wire.
func (f *follower) refresh(ctx context.Context) {
	p := *f.place
	facts, err := p.study()
	if err != nil || !more(facts.pod, f.facts.pod) {
		return // if the end is near, it will be noticed
	}
	sources, err := f.newSources(&p, facts)
	if err == nil {
		old := f.sources
		f.session.tellPod(&p, facts)
		err = f.session.join(ctx, &p, sources, func() {
			handOver(old, sources, time.Now().UnixNano())
			f.session.stop(old)
		})
	}
	if err != nil {
		fmt.Fprintf(f.session.errs, "icap: %s: %s\n", printable(p.title), printable(err.Error()))
		return
	}
	f.place, f.facts, f.sources = &p, facts, sources
}

// more reports whether a pod has become more than it was: it has got other
// rules, an interface, or a port of the proxy. A pod that loses something is
// about to end, and what the app listens on changes with every restart.
func more(now, was *istiofilter.Pod) bool {
	if !now.Sidecar() && was.Sidecar() {
		return false
	}
	for _, i := range was.Interfaces {
		if !slices.ContainsFunc(now.Interfaces, func(j istiofilter.Interface) bool { return i.Name == j.Name }) {
			return false
		}
	}
	if len(now.Interfaces) > len(was.Interfaces) {
		return true
	}
	admin := slices.Concat(was.Admin, was.LocalAdmin)
	if slices.ContainsFunc(slices.Concat(now.Admin, now.LocalAdmin), func(port uint16) bool { return !slices.Contains(admin, port) }) {
		return true
	}
	a, b := *now, *was
	for _, p := range []*istiofilter.Pod{&a, &b} {
		p.Interfaces, p.Admin, p.LocalAdmin, p.Listening = nil, nil, nil, nil
	}
	return !reflect.DeepEqual(a, b)
}

// join opens the rings of sources in a place and lets them join the capture.
// It returns when they are on the wire; then started, if not nil, was called.
func (s *session) join(ctx context.Context, p *place, sources []*source, started func()) (err error) {
	a := &capture.Addition{}
	defer func() {
		if err != nil {
			for _, r := range a.Rings {
				_ = r.Close() // nothing was captured with it
			}
		}
	}()
	for i, src := range sources {
		rings, err := src.open(max(s.flags.rings.fanout, 1), s.flags.rings.group)
		a.Rings = append(a.Rings, rings...)
		for range rings {
			a.Of = append(a.Of, i)
		}
		if err != nil {
			return err
		}
	}
	names := names([]*place{p})
	joined := make(chan struct{})
	a.Join = func(int) error { return s.grow(sources, names) }
	a.Started = func() {
		if started != nil {
			started()
		}
		for _, src := range sources {
			s.tellSource(src)
		}
		close(joined)
	}
	select {
	case s.more <- a:
		select {
		case <-joined:
		case <-ctx.Done(): // the rings are the session's to close
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
