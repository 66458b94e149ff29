package main

import (
	"errors"
	"fmt"
	"slices"

	"icap/bpfc"
	"icap/internal/pods"
	"icap/nsswitch"
)

// split parts the arguments into targets and the words of the expression. dash
// is how many arguments stand before "--", -1 without it: it ends the targets.
// Otherwise there is one, unless --target has named them all.
func (f *podFlags) split(args []string, dash int) (targets []string, expr string, err error) {
	n := min(1, len(args))
	switch {
	case dash >= 0:
		n = dash
	case len(f.targets) > 0:
		n = 0
	}
	targets = slices.Concat(f.targets, args[:n])
	if len(targets) == 0 {
		return nil, "", usagef("a TARGET is needed, such as NAMESPACE/POD or pid:N; icap ls lists them")
	}
	return targets, expression(args[n:]), nil
}

// hintSeveral adds what to do where an expression that makes no sense begins
// with a word that could be a further target.
func hintSeveral(err error, args, targets []string) error {
	var fault *bpfc.Error
	if !errors.As(err, &fault) || len(targets) != 1 || len(args) < 2 {
		return err
	}
	t, perr := pods.ParseTarget(args[1])
	if perr != nil || t.Kind == pods.Name && t.Namespace == "" {
		return err
	}
	return fmt.Errorf("%w (if %s is a target as well, put -- behind the targets)", err, args[1])
}

// findAll opens the namespaces of all targets, each once.
func (f *captureFlags) findAll(targets []string) (places []*place, err error) {
	wanted, err := f.parseTargets(targets)
	if err != nil {
		return nil, err
	}
	seen := make(map[nsswitch.ID]bool)
	for _, t := range wanted {
		p, err := t.find(f.scanner())
		if err != nil {
			return nil, errors.Join(err, closeAll(places))
		}
		if id := p.ns.ID(); seen[id] {
			if err := p.ns.Close(); err != nil {
				return nil, errors.Join(err, closeAll(places))
			}
			continue
		}
		seen[p.ns.ID()] = true
		places = append(places, p)
	}
	if f.as != "" {
		if len(places) > 1 {
			return nil, errors.Join(usagef("--as %s: there are %d targets, and they cannot all be called so", f.as, len(places)), closeAll(places))
		}
		places[0].title = f.as
	}
	return places, nil
}

// parseTargets reads targets, with the pods that have certain labels in the
// place of the labels.
func (f *captureFlags) parseTargets(targets []string) (all []choice, err error) {
	for _, text := range targets {
		t, err := pods.ParseTarget(text)
		if err != nil {
			return nil, usageError{err}
		}
		some, err := f.expand(t)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func closeAll(places []*place) error {
	var errs []error
	for _, p := range places {
		errs = append(errs, p.ns.Close())
	}
	return errors.Join(errs...)
}
