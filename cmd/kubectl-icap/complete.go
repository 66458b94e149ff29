package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"icap/cmd/kubectl-icap/internal/targets"
)

// completePatience is how long somebody waits who has pressed a key.
const completePatience = 3 * time.Second

// offer offers values for a flag of the command.
func offer(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the command has no such flag
	}
}

// completeTargets offers pods, and behind a kind the objects of that kind.
func completeTargets(cmd *cobra.Command, cl *cluster) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		all, err := cl.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), completePatience)
		defer cancel()
		kind, _, ok := strings.Cut(begun, "/")
		if !ok {
			return append(all.targets().List(ctx, all.namespace, targets.Pod), targets.Prefixes()...),
				cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		var names []string
		if k, ok := targets.ParseKind(kind); ok {
			for _, name := range all.targets().List(ctx, all.namespace, k) {
				names = append(names, kind+"/"+name)
			}
		} else {
			for _, name := range all.targets().List(ctx, kind, targets.Pod) {
				names = append(names, kind+"/"+name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completePlacing offers values for the flags of placing.
func completePlacing(cmd *cobra.Command, cl *cluster) {
	offer(cmd, "via", func() []string { return []string{viaJob, viaDaemonSet, viaDebug} })
	offer(cmd, "capture-namespace", cl.namespaces)
}

// namespaces are those of the cluster.
func (c *cluster) namespaces() (names []string) {
	all, err := c.connect()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completePatience)
	defer cancel()
	list, err := all.core.Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil // what may not be seen is not offered
	}
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}
