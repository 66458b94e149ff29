package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"icap/afpacket"
	"icap/internal/errand"
	"icap/internal/pods"
	"icap/internal/pods/cri"
	"icap/internal/sandbox"
	"icap/nsswitch"
)

// helperName is the command that icap starts itself with.
const helperName = "helper"

func newHelper() *cobra.Command {
	return &cobra.Command{
		Use:    helperName,
		Short:  "What icap starts by itself, to keep privileges apart from packets",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			// The capture takes the signals, and its end is the helper's.
			signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
			return attend()
		},
	}
}

// An attendant is the helper's side: it does what it is ordered to, as far as it
// concerns the targets and places that it knows.
type attendant struct {
	scanner   pods.Scanner
	criSocket string
	targets   []pods.Target
	layers    sandbox.Layers

	mu     sync.Mutex
	places map[uint32]*attended
	next   uint32
	listed map[uint16][]cri.Sandbox // what was told last about the pods of a target
}

// An attended is a place, and what was found there last.
type attended struct {
	*place
	mu    sync.Mutex // for what follows, and the place
	facts *facts
}

// maxAttended is how many places there are at most: more than pods on a node.
const maxAttended = 1 << 14

// attend takes the setup, gives up what it does not need, and serves.
func attend() error {
	setup := errand.File(0)
	var s helperSetup
	if err := json.NewDecoder(setup).Decode(&s); err != nil {
		return usagef("%s is what icap starts by itself", helperName)
	}
	if err := setup.Close(); err != nil {
		return err
	}
	a := &attendant{
		scanner: pods.Scanner{Proc: s.Proc}, criSocket: s.CRISocket, targets: s.Targets,
		places: make(map[uint32]*attended), listed: make(map[uint16][]cri.Sandbox),
	}
	for i := range s.Places {
		ns, err := nsswitch.OpenFile(errand.File(1+i), s.Places[i].Title)
		if err != nil {
			return err
		}
		a.add(s.Places[i].place(ns, a.scanner), s.Facts[i].facts())
	}
	var err error
	a.layers, err = sandbox.Enter(sandbox.Config{User: s.User, Keep: s.Keep, Look: s.Look, Open: true, ReadOnly: true})
	if err != nil {
		return err
	}
	return errand.Serve(a.serve)
}

// add lets a place be known, by the next number.
func (a *attendant) add(p *place, f *facts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.number = a.next
	a.next++
	a.places[p.number] = &attended{place: p, facts: f}
}

var errUnknownOrder = errors.New("the helper does not know this target or place")

// serve does what bytes from the capture order.
func (a *attendant) serve(ctx context.Context, request []byte) (errand.Answer, error) {
	o, err := parseOrder(request)
	if err != nil {
		return errand.Answer{}, err
	}
	switch o.what {
	case taskBegin:
		return errand.Answer{Data: []byte(a.layers.String())}, nil
	case taskList, taskFind:
		return a.serveTarget(ctx, &o)
	}
	a.mu.Lock()
	p := a.places[o.place]
	a.mu.Unlock()
	if p == nil {
		return errand.Answer{}, errUnknownOrder
	}
	switch o.what {
	case taskEnd:
		if p.pod == nil || p.pod.Host {
			return errand.Answer{}, errUnknownOrder
		}
		return errand.Answer{}, a.scanner.AwaitEnd(ctx, p.pod)
	case taskForget:
		a.mu.Lock()
		delete(a.places, o.place)
		a.mu.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		return errand.Answer{}, p.ns.Close()
	case taskSame:
		return a.same(&o, p)
	case taskSocket:
		return p.socket(o.socket)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.serve(&o)
}

// serveTarget does what is about a target that the helper was started with.
func (a *attendant) serveTarget(ctx context.Context, o *order) (none errand.Answer, err error) {
	if int(o.target) >= len(a.targets) {
		return none, errUnknownOrder
	}
	t := a.targets[o.target]
	labels := t.Kind == pods.Labels
	if o.what == taskList {
		if !labels {
			return none, errUnknownOrder
		}
		f := captureFlags{procRoot: a.scanner.Proc, criSocket: a.criSocket}
		chosen, _, err := f.labelled(ctx, t.Labels)
		if err != nil {
			return none, err
		}
		a.mu.Lock()
		a.listed[o.target] = chosen
		a.mu.Unlock()
		return answer(chosen)
	}
	c := choice{Target: t}
	if labels {
		a.mu.Lock()
		listed := a.listed[o.target]
		a.mu.Unlock()
		if o.number >= uint64(len(listed)) {
			return none, errUnknownOrder
		}
		c = choiceOf(&listed[o.number])
	}
	return a.find(c)
}

// find finds a pod, and lets it be known as a place.
func (a *attendant) find(c choice) (none errand.Answer, err error) {
	p, err := c.find(a.scanner)
	if err != nil {
		return none, err
	}
	a.mu.Lock()
	full := len(a.places) >= maxAttended
	a.mu.Unlock()
	if full {
		return none, errors.Join(fmt.Errorf("the helper knows %d places already", maxAttended), p.ns.Close())
	}
	ns, err := p.ns.Duplicate()
	if err != nil {
		return none, errors.Join(err, p.ns.Close())
	}
	a.add(p, new(facts))
	found, err := answer(recordOf(p))
	found.Files = []*os.File{ns}
	return found, err
}

// same says whether a target still leads to a place.
func (a *attendant) same(o *order, p *attended) (none errand.Answer, err error) {
	if int(o.target) >= len(a.targets) {
		return none, errUnknownOrder
	}
	now, err := resolve(a.scanner, a.targets[o.target])
	if err != nil {
		return answer(false)
	}
	defer now.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	return answer(now.is(p.place))
}

// serve does what is about a place.
func (p *attended) serve(o *order) (none errand.Answer, err error) {
	switch o.what {
	case taskStudy:
		f, err := p.study()
		if err != nil {
			return none, err
		}
		p.facts = f
		p.others = neighbours([]*place{p.place})
		return answer(study{recordOf(p.place), f.record()})
	case taskLinks:
		if err := p.readLinks(); err != nil {
			return none, err
		}
		return answer(p.links)
	case taskConnections:
		all, err := p.connections()
		if err != nil {
			return none, err
		}
		return answer(all)
	case taskWatch:
		w, err := p.watch()
		if err != nil {
			return none, err
		}
		return errand.Answer{Files: w.Files()}, nil
	case taskRules:
		f, err := p.ruleEvents()
		if err != nil {
			return none, err
		}
		return errand.Answer{Files: []*os.File{f}}, nil
	case taskOpener:
		who := p.facts.proxy.processes
		if o.agents {
			who = p.facts.proxy.agents
		}
		found, err := p.holds(who, o.number, o.agents)
		if err != nil {
			return none, err
		}
		return answer(found)
	}
	return none, errUnknownOrder
}

// socket opens what a ring is made of.
func (p *attended) socket(c afpacket.Config) (none errand.Answer, err error) {
	var f *os.File
	err = p.ns.Do(func() (err error) {
		f, err = afpacket.OpenSocket(c)
		return err
	})
	switch {
	case errors.Is(err, afpacket.ErrFilterTooLong):
		return none, afpacket.ErrFilterTooLong // which the other end knows by its words
	case err != nil:
		return none, err
	}
	return errand.Answer{Files: []*os.File{f}}, nil
}

// answer is a value as JSON.
func answer[T any](value T) (a errand.Answer, err error) {
	a.Data, err = json.Marshal(value)
	return a, err
}
