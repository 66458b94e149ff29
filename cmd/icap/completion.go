package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"icap/internal/pods"
	"icap/istiofilter"
)

// completeTargets offers the pods and namespaces of the node for arguments and
// for --target, as long as all arguments are such. What follows is an expression.
func completeTargets(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		all := targetNames()
		for _, a := range args {
			i := slices.IndexFunc(all, func(c string) bool { return c == a || strings.HasPrefix(c, a+"\t") })
			if i < 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			all = slices.Delete(all, i, i+1)
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
	if cmd.Flags().Lookup("target") != nil {
		offer(cmd, "target", targetNames)
	}
}

// targetNames are what the pods and namespaces of the node are called.
func targetNames() (names []string) {
	all, _ := pods.Scanner{}.ScanAll() // what may not be seen is not offered
	for i := range all {
		if name := target(&all[i]); typeable(name) {
			names = append(names, cobra.CompletionWithDesc(name, all[i].Role.String()))
		}
	}
	return names
}

// typeable reports whether a name can be shown by a shell as it is. Others are
// not offered: the shell would write them to the terminal.
func typeable(name string) bool { return printable(name) == name && !strings.ContainsAny(name, " \t") }

// completeLegs offers the legs for --leg besides, which is a list.
func completeLegs(cmd *cobra.Command) {
	completeTargets(cmd)
	err := cmd.RegisterFlagCompletionFunc("leg", func(_ *cobra.Command, _ []string, typed string) (legs []string, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		for leg := range istiofilter.AllLegs.All() {
			if !slices.Contains(strings.Split(before, ","), leg.String()) {
				legs = append(legs, cobra.CompletionWithDesc(before+leg.String(), leg.Meaning()))
			}
		}
		return legs, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(err) // the command has no such flag
	}
}

// completeInterfaces offers interfaces for -i, those of the place that the
// arguments name, and namespaces for --netns.
func completeInterfaces(cmd *cobra.Command, where func(args []string) (*place, error)) {
	err := cmd.RegisterFlagCompletionFunc("interface", func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return interfaceNames(where(args)), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the command has no such flag
	}
	if cmd.Flags().Lookup("netns") != nil {
		offer(cmd, "netns", namedNamespaces)
	}
}

func interfaceNames(p *place, err error) []string {
	if err != nil {
		return nil // nor can it be captured
	}
	defer p.ns.Close()
	names := []string{anyInterface}
	for _, l := range p.usable() {
		if typeable(l.Name) {
			names = append(names, l.Name)
		}
	}
	return names
}

// placeOf is the place of the first argument, or this one.
func (f *captureFlags) placeOf(args []string) (*place, error) {
	if len(args) == 0 {
		return here()
	}
	return f.find(args[0])
}

// namedNamespaces are those that have a name, as of ip-netns(8).
func namedNamespaces() (names []string) {
	all, _ := pods.Scanner{}.ScanAll() // what may not be seen is not offered
	for i := range all {
		if name := all[i].Netns; name != "" && typeable(name) {
			names = append(names, name)
		}
	}
	return names
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
