package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"icap/internal/report"
)

const flowsLong = `flows prints one line for each connection: on which leg, between whom, how much
went each way, how long it took, how it ended, and what was spoken: plaintext,
TLS, or the mutual TLS of Istio's proxies. Plaintext on a leg that Istio can
encrypt is marked with (!).

It captures all legs of TARGET until ^C, or reads files (-r), of icap or of
others, and prints at the end. On a terminal a capture also shows them while it
runs, as many as there is room for, in the order of --sort. The redirected half
of the app's connections is shown with the addresses that the app saw. Live,
-o wide, json and csv also name the processes at both ends.

With --pairs it says which connection the proxy has made for which one that it
had accepted: certain where there was no other one on either side meanwhile,
else the likely ones, by beginnings, endings and how much was said. All legs of
what a client began have one number, FLOW. With -w the files that are read are
written once more, and each packet has a comment with it: "[flow 7]" on what
came to the proxy, "[flow 7] certain" or "[flow 7] likely 0.93" on what the proxy
made of it, and several on a connection that was used for several. In Wireshark
frame.comment contains "[flow 7]" shows them all.

Where both pods of a connection are captured, its two ends are a pair as well, also
behind the address of a service. --hops lists, for what leads from pod to pod, how
long the proxies, the network and the app took for the first request and its
response; the list of connections has that below.`

const flowsExample = `  icap flows shop/web --duration 30s
  icap flows -r web.pcapng --sort bytes -o wide
  icap flows -r web.pcapng -o csv tcp port 8080
  icap flows -r web.pcapng --pairs -w numbered.pcapng
  icap flows -r both.pcapng --hops`

// A flowList is what a call of flows lists.
type flowList struct {
	watch  watch
	config report.FlowsConfig
	output string
	force  bool
	own    holders
}

func newFlows() *cobra.Command {
	var l flowList
	cmd := &cobra.Command{
		Use:     "flows TARGET [expression] | -r FILE [expression]",
		Short:   "List connections: who, how much, how they ended, whether by mTLS",
		Long:    flowsLong,
		Example: flowsExample,
		Args:    cobra.ArbitraryArgs,
		RunE:    l.run,
	}
	fs := cmd.Flags()
	l.watch.register(cmd)
	l.watch.registerEBPF(fs)
	fs.StringVar(&l.config.Sort, "sort", "start", "by start, bytes, packets or duration")
	fs.StringVarP(&l.config.Format, "format", "o", "table", "table, wide, json or csv")
	fs.BoolVar(&l.config.Pairs, "pairs", false, "list which connection of the proxy belongs to which, and how likely that is")
	fs.BoolVar(&l.config.Hops, "hops", false, "list how long proxies, network and app took for what leads through several pods")
	fs.StringVarP(&l.output, "output", "w", "", "with --pairs and -r: also write the files to this one, with a comment on each packet: [flow N], shared by all legs")
	fs.BoolVar(&l.force, "force", false, "overwrite an existing file")
	return cmd
}

// run lists connections, and then copies the files if that is asked for.
func (l *flowList) run(cmd *cobra.Command, args []string) error {
	l.config.Names = &l.own
	flows, err := report.NewFlows(l.config)
	if err != nil {
		return usageError{err}
	}
	if err := l.checkCopy(); err != nil {
		return err
	}
	if len(l.watch.files) == 0 {
		defer l.own.close()
		l.watch.name(cmd, args, &l.own)
	}
	err = l.see(cmd, args, flows)
	l.own.settle()
	out := newListing(cmd)
	defer out.stop()
	if perr := flows.Print(out); err == nil && out.err == nil {
		err = perr
	}
	if err == nil && l.output != "" {
		err = l.copy(flows, expression(args))
	}
	return cmp.Or(err, out.fault())
}

// see shows all packets to flows, and meanwhile what it makes of them, if
// somebody looks.
func (l *flowList) see(cmd *cobra.Command, args []string, flows *report.Flows) error {
	if len(l.watch.files) > 0 {
		return l.watch.run(cmd, args, flows.See)
	}
	live := newLiveFlows(cmd, l.config.Sort, flows)
	if live == nil {
		return l.watch.run(cmd, args, flows.See)
	}
	live.start()
	defer live.stop()
	return l.watch.run(cmd, args, live.see)
}

// checkCopy refuses what cannot be copied.
func (l *flowList) checkCopy() error {
	switch {
	case l.output == "":
	case len(l.watch.files) == 0 || slices.Contains(l.watch.files, "-"):
		return usagef("-w writes files once more that are read (-r): what is captured live or comes from standard input cannot be read twice")
	case !l.config.Pairs:
		return usagef("-w writes which connections belong together: it needs --pairs")
	}
	return nil
}

// copy reads the files once more, and writes them with the numbers of the
// flows.
func (l *flowList) copy(flows *report.Flows, expr string) (err error) {
	inputs, err := openInputs(l.watch.files)
	defer closeInputs(inputs)
	if err != nil {
		return err
	}
	to, err := createBeside(inputs, l.output, l.force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	c := flows.Copy(to, expr)
	for _, in := range inputs {
		if err := c.File(in.Reader); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", in.Name(), err), c.Flush())
		}
	}
	return c.Flush()
}
