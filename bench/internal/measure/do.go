package measure

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

// Do measures everything. Each round has every peer once, so that what
// disturbs the machine for long disturbs all of them. What is wrong with one
// run is noted and does not keep the others from being made; the error is the
// context's.
func (s *Suite) Do(ctx context.Context, b *Bench, peers []peer.Peer, progress io.Writer) (*Outcome, error) {
	d := &doing{suite: s, bench: b, peers: peers, progress: progress, out: &Outcome{
		Rounds:  s.Rounds,
		Many:    b.many.size,
		Starts:  map[string][]float64{},
		Alone:   map[string][]Idle{},
		Crowd:   map[string][]Idle{},
		Garbage: map[string]Garbage{},
		Binary:  map[string]int64{},
	}}
	for i := range peers {
		if st, err := os.Stat(peers[i].Program); err == nil {
			d.out.Binary[peers[i].Name] = st.Size()
		}
	}
	d.jobs(ctx)
	d.searches(ctx)
	d.starts(ctx)
	d.idles(ctx)
	d.collections(ctx)
	return d.out, ctx.Err()
}

// doing is a suite on its way.
type doing struct {
	suite    *Suite
	bench    *Bench
	peers    []peer.Peer
	progress io.Writer
	out      *Outcome
}

// A title names what is measured, where no job does.
type title string

func (t title) String() string { return string(t) }

// rounds calls f for every peer of each round, until the context ends.
func (d *doing) rounds(ctx context.Context, what fmt.Stringer, n int, peers []peer.Peer, f func(p *peer.Peer) error) {
	for round := range n {
		fmt.Fprintf(d.progress, "%s: round %d of %d\n", what, round+1, n)
		for i := range peers {
			if ctx.Err() != nil {
				return
			}
			if err := f(&peers[i]); ctx.Err() == nil {
				d.out.note(&peers[i], what, round, err)
			}
		}
	}
}

// able are the peers that can write to tmpfs and do what else is asked for.
func (d *doing) able(to func(peer.Peer) bool) []peer.Peer {
	var all []peer.Peer
	for _, p := range d.peers {
		if !slices.Contains(d.suite.DiskOnly, p.Name) && (to == nil || to(p)) {
			all = append(all, p)
		}
	}
	return all
}

func (d *doing) jobs(ctx context.Context) {
	for _, j := range d.suite.Jobs {
		s := Series{Job: j, Results: map[string][]Result{}}
		peers := d.peers
		if !j.Disk {
			peers = d.able(nil)
		}
		d.rounds(ctx, j, d.suite.Rounds, j.Of(peers), func(p *peer.Peer) error {
			r := d.bench.Run(ctx, p, j)
			s.Results[p.Name] = append(s.Results[p.Name], r)
			if r.Fault == nil && d.suite.Strict && r.Lost > 0 {
				return fmt.Errorf("%d packets lost", r.Lost)
			}
			return r.Fault
		})
		d.out.Series = append(d.out.Series, s)
	}
}

func (d *doing) searches(ctx context.Context) {
	for _, sizes := range d.suite.SearchFor {
		mix := load.Load{Sizes: sizes}.Mix()
		s := Search{Mix: mix, Rates: map[string][]float64{}}
		what := title("search for the highest rate without loss, " + mix)
		d.rounds(ctx, what, 1, d.able(nil), func(p *peer.Peer) error {
			rate, err := d.bench.Search(ctx, p, sizes, d.suite.SearchSteps, d.suite.SearchTrial)
			s.Rates[p.Name] = append(s.Rates[p.Name], rate)
			return err
		})
		d.out.Searches = append(d.out.Searches, s)
	}
}

func (d *doing) starts(ctx context.Context) {
	writers := d.able(func(p peer.Peer) bool { return p.Format != nil })
	d.rounds(ctx, title("start"), d.suite.Starts, writers, func(p *peer.Peer) error {
		took, err := d.bench.StartUp(ctx, p)
		d.out.Starts[p.Name] = append(d.out.Starts[p.Name], took.Seconds()*1000)
		return err
	})
}

func (d *doing) idles(ctx context.Context) {
	if d.suite.Idle == 0 {
		return
	}
	d.rounds(ctx, title("waiting on one interface"), d.suite.Rounds, d.able(nil), func(p *peer.Peer) error {
		i, err := d.bench.Idle(ctx, p, false, d.suite.Idle)
		if err == nil {
			d.out.Alone[p.Name] = append(d.out.Alone[p.Name], i)
		}
		return err
	})
	able := d.able(func(p peer.Peer) bool { return p.Many != nil })
	what := title(fmt.Sprintf("waiting on %d interfaces", d.out.Many))
	d.rounds(ctx, what, d.suite.Rounds, able, func(p *peer.Peer) error {
		i, err := d.bench.Idle(ctx, p, true, d.suite.Idle)
		if err == nil {
			d.out.Crowd[p.Name] = append(d.out.Crowd[p.Name], i)
		}
		return err
	})
}

// collections need no rounds: a count is not disturbed.
func (d *doing) collections(ctx context.Context) {
	j := d.suite.Collect
	if j.Count == 0 {
		return
	}
	able := d.able(func(p peer.Peer) bool { return p.Garbage })
	d.rounds(ctx, title("collections of garbage"), 1, able, func(p *peer.Peer) error {
		normal := d.bench.Garbage(ctx, p, j, 100)
		if normal.Fault != nil {
			return normal.Fault
		}
		strict := d.bench.Garbage(ctx, p, j, 1)
		if strict.Fault != nil {
			return strict.Fault
		}
		d.out.Garbage[p.Name] = Garbage{normal.Packets, normal.GCs, strict.GCs}
		return nil
	})
}
