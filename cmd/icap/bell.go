package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/nsswitch"
)

// A bell rings when something is made on the node that can become a pod: a
// network namespace, its end of a link, a directory for logs. Then it is time
// to look at once and often, because the pod's first process is about to
// start. It is not certain that the bell rings, so there is still a look from
// time to time. The zero value never rings.
type bell struct {
	mu   sync.Mutex
	next chan struct{} // closed by the next ring

	files []*os.File // a read from one returns when it is to ring
}

// awaitRing is closed by the next ring.
func (b *bell) awaitRing() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// hang opens what tells of events of the node, which takes privileges that are
// given up later.
func (b *bell) hang(s pods.Scanner) {
	if f, err := s.Arrivals(); err == nil {
		b.files = append(b.files, f)
	}
	if f, err := hostLinks(s); err == nil {
		b.files = append(b.files, f)
	}
}

// close takes the bell down.
func (b *bell) close() {
	for _, f := range b.files {
		_ = f.Close() // only read from
	}
}

// listen lets events ring the bell until the context ends.
func (b *bell) listen(ctx context.Context, watching *sync.WaitGroup) {
	for _, f := range b.files {
		context.AfterFunc(ctx, func() { _ = f.Close() }) // only read from
		watching.Go(func() {
			for message := make([]byte, 1<<16); ; b.ring() {
				// Too many events at once (ENOBUFS) are a reason to ring, too.
				if _, err := f.Read(message); errors.Is(err, os.ErrClosed) {
					return
				}
			}
		})
	}
}

// hostLinks tells of the interfaces of the node, or, where its namespace may
// not be entered, of this one.
func hostLinks(s pods.Scanner) (f *os.File, err error) {
	found, err := s.Resolve(pods.Target{Kind: pods.Host})
	if err != nil {
		return kernel.LinkEvents()
	}
	ns, err := nsswitch.Open(found.Path)
	if err != nil {
		return kernel.LinkEvents()
	}
	defer ns.Close()
	err = ns.Do(func() (err error) {
		f, err = kernel.LinkEvents()
		return err
	})
	if err != nil {
		return kernel.LinkEvents()
	}
	return f, nil
}

const (
	// hasty is the least time between two looks after a ring. A look may take
	// a part of a CPU, so that they get slower as the node gets larger.
	hasty     = 10 * time.Millisecond
	hastyPart = 4

	// hastyFor is how long after a ring they are that close: what rings comes
	// before the pod's first process, and other rings come between.
	hastyFor = 3 * time.Second
)

// A pace is when to look for something next.
type pace struct {
	bell *bell
	next <-chan struct{}
	rang time.Time // when the bell rang last
	look time.Time // when the last look began
}

// newPace begins to listen; what rings from now on is not missed.
func (b *bell) newPace() *pace { return &pace{bell: b, next: b.awaitRing(), look: time.Now()} }

// wait returns when it is time for the next look: after the usual time, or
// sooner when the bell has rung. It is false when the context ends.
func (p *pace) wait(ctx context.Context, usual time.Duration) bool {
	least := max(hasty, hastyPart*time.Since(p.look))
	wait := max(usual, least)
	if time.Since(p.rang) < hastyFor {
		wait = least
	}
	begin := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			p.look = time.Now()
			return true
		case <-p.next:
			p.rang, p.next = time.Now(), p.bell.awaitRing()
			timer.Reset(least - p.rang.Sub(begin)) // others may ring meanwhile
		}
	}
}
