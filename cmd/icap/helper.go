package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"icap/afpacket"
	"icap/internal/errand"
	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/internal/pods/cri"
	"icap/internal/sandbox"
	"icap/nsswitch"
)

// A helper is a small process that keeps the privileges which finding, looking
// into and opening pods takes, while the capture, which looks at packets and
// writes files, has none. It only knows the targets that it was started with.
type helper struct {
	client  *errand.Client
	scanner pods.Scanner
	targets []pods.Target
}

// errNoHelper ends a capture whose helper has ended before.
var errNoHelper = errors.New("the helper was ended by somebody: pods and interfaces that came later are missing")

// startHelper starts the helper with all that it will be asked for, and gives
// the places to it. It returns the helper's own sandbox, in words.
func (s *session) startHelper(keep []sandbox.Capability, look bool) (layers string, err error) {
	setup, files, err := s.helperSetup(keep, look)
	defer func() {
		for _, f := range files {
			_ = f.Close() // the helper has its own
		}
	}()
	if err != nil {
		return "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer write.Close()
	h := &helper{scanner: s.flags.scanner(), targets: setup.Targets}
	h.client, err = errand.Start([]string{"icap", helperName}, slices.Concat([]*os.File{read}, files)...)
	_ = read.Close() // so that writing fails if the helper does not read
	if err != nil {
		return "", err
	}
	if err = json.NewEncoder(write).Encode(setup); err == nil {
		err = write.Close()
	}
	var begun errand.Answer
	if err == nil {
		begun, err = h.ask(context.Background(), order{what: taskBegin})
	}
	if err != nil {
		return "", errors.Join(err, h.client.Close())
	}
	for _, p := range s.places() {
		p.helper = h
	}
	s.helper = h
	return string(begun.Data), nil
}

// helperSetup is what the helper is started with, and the namespaces of the
// places, each by its number.
func (s *session) helperSetup(keep []sandbox.Capability, look bool) (setup *helperSetup, files []*os.File, err error) {
	setup = &helperSetup{Proc: s.flags.procRoot, CRISocket: s.flags.criSocket, User: s.flags.guard.user, Keep: keep, Look: look}
	for i, p := range s.places() {
		ns, err := p.ns.Duplicate()
		if err != nil {
			return nil, files, err
		}
		files = append(files, ns)
		p.number = uint32(i)
		setup.Places, setup.Facts = append(setup.Places, recordOf(p)), append(setup.Facts, s.factsOf(p).record())
	}
	for _, f := range s.followers {
		setup.Targets = append(setup.Targets, f.target)
	}
	for _, r := range s.recruiters {
		setup.Targets = append(setup.Targets, r.target())
	}
	return setup, files, nil
}

// factsOf are those of a place where a pod is followed.
func (s *session) factsOf(p *place) *facts {
	for _, f := range s.followers {
		if f.place == p {
			return f.facts
		}
	}
	return new(facts)
}

// awaitHelper tells when the helper ends before the capture does.
func (s *session) awaitHelper(ctx context.Context) {
	select {
	case <-s.helper.client.Gone():
		s.helperGone.Store(true)
		fmt.Fprintf(s.errs, "icap: %v; what is captured now goes on\n", errNoHelper)
	case <-ctx.Done():
	}
}

// helperLost is errNoHelper if the helper ended before the capture.
func (s *session) helperLost() error {
	if s.helperGone.Load() {
		return errNoHelper
	}
	return nil
}

// ask has an order done.
func (h *helper) ask(ctx context.Context, o order) (errand.Answer, error) {
	return h.client.Ask(ctx, o.append(nil))
}

// tell has an order done whose answer is a value.
func tell[T any](ctx context.Context, h *helper, o order) (value T, files []*os.File, err error) {
	answer, err := h.ask(ctx, o)
	if err != nil {
		return value, nil, err
	}
	return value, answer.Files, json.Unmarshal(answer.Data, &value)
}

// file has an order done whose answer is a file.
func (h *helper) file(o order) (*os.File, error) {
	answer, err := h.ask(context.Background(), o)
	switch {
	case err != nil:
		return nil, err
	case len(answer.Files) != 1:
		return nil, fmt.Errorf("the helper sent %d files, not one", len(answer.Files))
	}
	return answer.Files[0], nil
}

// find finds the namespace that a target stands for now; of the pods with its
// labels the one of a number, which the choice is.
func (h *helper) find(t pods.Target, number int, c choice) (*place, error) {
	record, files, err := tell[placeRecord](context.Background(), h, order{what: taskFind, target: h.index(t), number: uint64(number)})
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("the helper sent %d files, not one", len(files))
	}
	ns, err := nsswitch.OpenFile(files[0], record.Title)
	if err != nil {
		return nil, err
	}
	p := record.place(ns, h.scanner)
	p.helper = h
	if c.sandbox != nil && p.pod.UID != c.sandbox.UID {
		p.close()
		return nil, fmt.Errorf("%s is not a pod with the labels any more", c.sandbox.UID)
	}
	return p, nil
}

// index is the number of a target, of which there is always one.
func (h *helper) index(t pods.Target) uint16 { return uint16(slices.Index(h.targets, t)) }

// list are the pods that have the labels of a target.
func (h *helper) list(ctx context.Context, t pods.Target) ([]cri.Sandbox, error) {
	all, _, err := tell[[]cri.Sandbox](ctx, h, order{what: taskList, target: h.index(t)})
	return all, err
}

// links are the interfaces in a place now.
func (h *helper) links(p *place) ([]kernel.Link, error) {
	all, _, err := tell[[]kernel.Link](context.Background(), h, order{what: taskLinks, place: p.number})
	return all, err
}

func (h *helper) study(p *place) (*facts, error) {
	s, _, err := tell[study](context.Background(), h, order{what: taskStudy, place: p.number})
	if err != nil {
		return nil, err
	}
	r := &s.Place
	p.links, p.cookie, p.about, p.pids, p.others = r.Links, r.Cookie, r.About, r.PIDs, r.Others
	return s.Facts.facts(), nil
}

func (h *helper) connections(p *place) ([]kernel.Connection, error) {
	all, _, err := tell[[]kernel.Connection](context.Background(), h, order{what: taskConnections, place: p.number})
	return all, err
}

func (h *helper) watch(p *place) (*kernel.Watch, error) {
	answer, err := h.ask(context.Background(), order{what: taskWatch, place: p.number})
	if err != nil {
		return nil, err
	}
	return kernel.WatchFiles(answer.Files)
}

func (h *helper) rules(p *place) (*os.File, error) {
	return h.file(order{what: taskRules, place: p.number})
}

func (h *helper) holds(p *place, inode uint64, agents bool) (bool, error) {
	found, _, err := tell[bool](context.Background(), h, order{what: taskOpener, place: p.number, number: inode, agents: agents})
	return found, err
}

// socket opens what a ring of a place is made of.
func (h *helper) socket(p *place, c afpacket.Config) (*os.File, error) {
	if len(c.Filter) > maxFilter {
		return nil, afpacket.ErrFilterTooLong
	}
	f, err := h.file(order{what: taskSocket, place: p.number, socket: c})
	if err != nil && err.Error() == afpacket.ErrFilterTooLong.Error() {
		return nil, afpacket.ErrFilterTooLong
	}
	return f, err
}

// same reports whether a target still leads to a place.
func (h *helper) same(t pods.Target, p *place) bool {
	same, _, err := tell[bool](context.Background(), h, order{what: taskSame, target: h.index(t), place: p.number})
	return same && err == nil
}

// awaitEnd waits for the end of the pod in a place.
func (h *helper) awaitEnd(ctx context.Context, p *place) error {
	_, err := h.ask(ctx, order{what: taskEnd, place: p.number})
	if errors.Is(err, errand.ErrGone) {
		<-ctx.Done() // nobody tells any more
	}
	return err
}

// forget gives up a place.
func (h *helper) forget(p *place) {
	_, _ = h.ask(context.Background(), order{what: taskForget, place: p.number}) // which is as good if the helper is gone
}
