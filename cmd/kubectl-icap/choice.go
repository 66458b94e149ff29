package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/cmd/kubectl-icap/internal/targets"
)

// A choice is which pods are meant.
type choice struct {
	selector string
	all      bool
	kind     targets.Kind // of targets that do not say
}

func (c *choice) register(fs *pflag.FlagSet) {
	fs.StringVarP(&c.selector, "selector", "l", "", "the pods with these labels, such as app=web,tier!=canary")
	fs.BoolVarP(&c.all, "all-namespaces", "A", false, "look in all namespaces; without -l that is all pods")
}

// split parts the arguments into targets and the expression. A dash ends the
// targets; without it there is one, and all that follow with a slash, which no
// expression begins with. Where labels choose there is none.
func (c *choice) split(args []string, dash int) (names []string, expr string, err error) {
	selects := c.selector != "" || c.all
	n := min(1, len(args))
	for n > 0 && n < len(args) && isTarget(args[n]) {
		n++
	}
	switch {
	case dash >= 0:
		n = dash
	case selects:
		n = 0
	}
	if n == 0 && !selects {
		return nil, "", usagef("a TARGET is needed, such as POD or deploy/NAME, or labels (-l)")
	}
	return args[:n], strings.Join(args[n:], " "), nil
}

// isTarget reports whether a word is a target of the form KIND/NAME or
// NAMESPACE/NAME. A network, which an expression can begin with, has a dot or a
// colon ahead of its slash.
func isTarget(word string) bool {
	first, _, ok := strings.Cut(word, "/")
	_, err := targets.Parse(word, "default", targets.Pod)
	return ok && err == nil && !strings.ContainsAny(first, ".:")
}

// queries are what the API server is asked for the targets and the labels.
func (c *choice) queries(ctx context.Context, cl *clients, names []string) (all []targets.Query, err error) {
	cluster := cl.targets()
	for _, name := range names {
		q, err := c.query(ctx, cl, cluster, name)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	if c.selector != "" || c.all {
		namespace := cl.namespace
		if c.all {
			namespace = ""
		}
		q, err := targets.Selected(namespace, c.selector)
		if err != nil {
			return nil, usageError{err}
		}
		all = append(all, q)
	}
	return all, nil
}

// query is what one target stands for. What may be a gateway is one if there is,
// and else a pod.
func (c *choice) query(ctx context.Context, cl *clients, cluster *targets.Cluster, name string) (targets.Query, error) {
	t, err := targets.Parse(name, cl.namespace, c.kind)
	if err != nil {
		return targets.Query{}, usageError{err}
	}
	q, err := cluster.Query(ctx, t)
	if err != nil && c.kind == targets.Gateway && !strings.Contains(name, string(targets.Gateway)+"/") {
		if t, terr := targets.Parse(name, cl.namespace, targets.Pod); terr == nil {
			return cluster.Query(ctx, t)
		}
	}
	return q, err
}

// splitCommand is split for a command.
func (c *choice) splitCommand(cmd *cobra.Command, args []string) ([]string, string, error) {
	return c.split(args, cmd.ArgsLenAtDash())
}
