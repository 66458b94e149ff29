package main

import (
	"github.com/spf13/cobra"

	"icap/internal/pods"
	"icap/istiofilter"
)

// completeTargets offers the pods and namespaces of the node for the first
// argument of a command, and the legs for --leg. What follows is an expression.
func completeTargets(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all, _ := pods.Scanner{}.ScanAll() // what may not be seen is not offered
		var names []string
		for i := range all {
			names = append(names, cobra.CompletionWithDesc(target(&all[i]), all[i].Role.String()))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	offer(cmd, "leg", func() (legs []string) {
		for leg := range istiofilter.AllLegs.All() {
			legs = append(legs, cobra.CompletionWithDesc(leg.String(), leg.Meaning()))
		}
		return legs
	})
}

// completeInterfaces offers the interfaces of this namespace for -i.
func completeInterfaces(cmd *cobra.Command) {
	offer(cmd, "interface", func() []string {
		p, err := here()
		if err != nil {
			return nil
		}
		defer p.ns.Close()
		names := []string{"any"}
		for _, l := range p.usable() {
			names = append(names, l.Name)
		}
		return names
	})
}

// offer offers values for a flag of the command.
func offer(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the command has no such flag
	}
}
