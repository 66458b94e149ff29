package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"icap/internal/pods"
	"icap/internal/pods/cri"
)

// labelPatience is how long a container runtime may take to tell the labels of
// pods that are to be captured.
const labelPatience = 5 * time.Second

// registerCRI defines the flag for the socket of the container runtime.
func registerCRI(fs *pflag.FlagSet, socket *string) {
	fs.StringVar(socket, "cri-socket", "", "ask the container runtime for labels here (default: $CONTAINER_RUNTIME_ENDPOINT, or where containerd, k3s, CRI-O and cri-dockerd listen)")
}

// listSandboxes asks the container runtime of the node.
func listSandboxes(ctx context.Context, s pods.Scanner, socket string, patience time.Duration) ([]cri.Sandbox, error) {
	if !cri.Built {
		return nil, cri.ErrNotBuilt
	}
	endpoint := cmp.Or(socket, os.Getenv("CONTAINER_RUNTIME_ENDPOINT"))
	at, err := cri.Find(endpoint, s.OnNode)
	switch {
	case err != nil && endpoint == "":
		return nil, fmt.Errorf("%w (--cri-socket names another)", err)
	case err != nil:
		return nil, fmt.Errorf("container runtime: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%v are over", patience))
	defer cancel()
	return cri.List(ctx, at)
}

// A choice is a target, or one of the pods that a target of labels stands for.
type choice struct {
	pods.Target
	sandbox *cri.Sandbox // of the pod with the labels, else nil
}

// find opens the namespace of the choice. The container runtime knows names that
// /proc may not tell.
func (c choice) find(s pods.Scanner) (*place, error) {
	p, err := resolve(s, c.Target)
	if err != nil || c.sandbox == nil {
		return p, err
	}
	p.succeeded = true
	p.pod.Namespace, p.pod.Name = c.sandbox.Namespace, c.sandbox.Name
	p.title = p.pod.Title()
	return p, nil
}

// expand puts the pods that a target of labels stands for in its place.
func (f *captureFlags) expand(t pods.Target) ([]choice, error) {
	if t.Kind != pods.Labels {
		return []choice{{Target: t}}, nil
	}
	chosen, all, err := f.labelled(context.Background(), t.Labels)
	if err == nil && len(chosen) == 0 {
		err = noSuchLabels(all)
	}
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", t, err)
	}
	choices := make([]choice, len(chosen))
	for i := range chosen {
		choices[i] = choiceOf(&chosen[i])
	}
	return choices, nil
}

func choiceOf(s *cri.Sandbox) choice {
	return choice{pods.Target{Kind: pods.UID, UID: s.UID}, s}
}

// labelled returns the pods that have the labels, in the order of their names,
// and all there are.
func (f *captureFlags) labelled(ctx context.Context, labels string) (chosen, all []cri.Sandbox, err error) {
	selector, err := pods.ParseSelector(labels)
	if err != nil {
		return nil, nil, err
	}
	if all, err = listSandboxes(ctx, f.scanner(), f.criSocket, labelPatience); err != nil {
		return nil, nil, err
	}
	for i := range all {
		if selector.Matches(all[i].Labels) {
			chosen = append(chosen, all[i])
		}
	}
	slices.SortFunc(chosen, func(a, b cri.Sandbox) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return chosen, all, nil
}

// noSuchLabels lists the labels that there are instead.
func noSuchLabels(all []cri.Sandbox) error {
	const most = 10
	there := make(map[string]bool)
	for i := range all {
		for key, value := range all[i].Labels {
			there[key+"="+value] = true
		}
	}
	if len(there) == 0 {
		return errors.New("no pod of this node has a label")
	}
	names := slices.Sorted(maps.Keys(there))
	more := ""
	if n := len(names) - most; n > 0 {
		names, more = names[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("no pod of this node is labelled so; there are %s%s", strings.Join(names, ", "), more)
}
