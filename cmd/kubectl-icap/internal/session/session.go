package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/internal/targets"
	"icap/internal/gather"
)

// A Config says what to capture, where, and with what.
type Config struct {
	REST    *rest.Config
	Client  rest.Interface // of the core group
	Cluster *targets.Cluster
	Queries []targets.Query
	Placer  place.Placer

	// Command is what icap is called with on the nodes, but for the targets, the
	// output and when to end: its subcommand and flags.
	Command []string
	Expr    string
	// Joins says that the subcommand takes further targets from its standard
	// input. Otherwise it is started anew when a pod comes.
	Joins bool
	// Follow lets pods join that come later.
	Follow   bool
	Duration time.Duration
	// OnNode, if not empty, begins the names of files in the seats, such as
	// "/out/0a1b2c3d-": captures are written there, and streamed when they end.
	OnNode string

	// Errs takes what is said while it runs, and Details all that icap says on
	// the nodes, rather than the most important.
	Errs    io.Writer
	Details bool
}

// A Session is a capture that runs.
type Session struct {
	Config
	gather *gather.Gatherer

	mu     sync.Mutex
	units  map[string]*unit
	order  []*unit
	ending bool
	work   sync.WaitGroup
	end    time.Time
	lost   chan struct{} // closed when all units have failed, and none has captured
}

// Run captures until the context ends, the duration is over or, unless Follow is
// set, all targets are gone. It returns when all streams have ended and nothing
// of it is left in the cluster, as far as that is possible. The outcome is also
// valid with an error, which is about the beginning: nothing was captured then.
func Run(ctx context.Context, c Config, g *gather.Gatherer) (*Outcome, error) {
	s := &Session{Config: c, gather: g, units: make(map[string]*unit), end: time.Now().Add(c.Duration), lost: make(chan struct{})}
	defer g.Close()
	pods, left, err := c.Cluster.Find(ctx, c.Queries)
	for _, l := range left {
		s.say("note: %s/%s %s: it is left out", l.Pod.Namespace, l.Pod.Name, l.Why)
	}
	if err != nil {
		return nil, err
	}
	// In order means: streams end, and deliver what they have.
	orderly, cancel := context.WithDeadline(ctx, s.end)
	defer cancel()
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	for _, u := range c.Placer.Units(pods) {
		s.start(orderly, hard, u)
	}
	var watching sync.WaitGroup
	if c.Follow {
		watching.Go(func() { c.Cluster.Watch(orderly, c.Queries, func(p *corev1.Pod) { s.see(orderly, hard, p) }) })
	}
	s.await(orderly, kill)
	cancel()
	watching.Wait()
	err = s.release()
	return &Outcome{units: s.order, release: err}, nil
}

// endPatience is how long streams may take to end in order, and FetchPatience how
// long it may take to fetch what was written on the nodes.
const (
	endPatience   = 10 * time.Second
	FetchPatience = 30 * time.Minute
)

// await waits until all units have ended. When they are to end and do not, they
// are killed.
func (s *Session) await(orderly context.Context, kill func()) {
	ended := make(chan struct{})
	go func() {
		s.work.Wait()
		close(ended)
	}()
	if s.Follow { // more may come
		select {
		case <-orderly.Done():
		case <-s.lost:
		}
		s.stopStarting()
	}
	select {
	case <-ended:
		return
	case <-orderly.Done():
	}
	patience := endPatience
	if s.OnNode != "" {
		s.say("fetching what the nodes have written")
		patience = FetchPatience
	}
	select {
	case <-ended:
	case <-time.After(patience):
		s.say("streams do not end: they are cut")
		kill()
		<-ended
	}
}

// stopStarting makes pods that are seen too late nobody's.
func (s *Session) stopStarting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
}

// releasePatience is how long taking everything away may take.
const releasePatience = 20 * time.Second

func (s *Session) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), releasePatience)
	defer cancel()
	return s.Placer.Release(ctx)
}

// start begins to capture in a unit.
func (s *Session) start(orderly, hard context.Context, u place.Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	n := newUnit(s, u)
	s.units[u.Name], s.order = n, append(s.order, n)
	s.work.Go(func() {
		n.run(orderly, hard)
		s.count()
	})
}

// count looks whether there is anything left to wait for.
func (s *Session) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.order {
		if !n.over() || n.captured {
			return
		}
	}
	if !s.ending {
		s.ending = true
		close(s.lost)
	}
}

// see takes a pod that a query selects: it joins its unit, or begins a new one
// once it runs.
func (s *Session) see(orderly, hard context.Context, p *corev1.Pod) {
	for _, u := range s.Placer.Units([]*corev1.Pod{p}) {
		s.mu.Lock()
		n := s.units[u.Name]
		s.mu.Unlock()
		switch {
		case n != nil && !n.over():
			n.add(p)
		case p.Status.Phase == corev1.PodRunning:
			s.start(orderly, hard, u)
		}
	}
}

// tellGivenUp says at once that a unit has failed, where others go on.
func (s *Session) tellGivenUp(n *unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) > 1 {
		s.say("%s: given up, the others go on: %v", n.Name, n.err)
	}
}

// say says something.
func (s *Session) say(format string, args ...any) {
	fmt.Fprintf(s.Errs, "icap: "+format+"\n", args...)
}

// An Outcome is what became of the units.
type Outcome struct {
	units   []*unit
	release error
}

// Err joins why units have failed, and why something may be left in the cluster.
func (o *Outcome) Err() error {
	var all []error
	for _, u := range o.units {
		if u.err != nil {
			all = append(all, u.err)
		}
	}
	return errors.Join(append(all, o.release)...)
}

// Captured reports whether any unit has captured.
func (o *Outcome) Captured() bool {
	for _, u := range o.units {
		if u.captured {
			return true
		}
	}
	return false
}
