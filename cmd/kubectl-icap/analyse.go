package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"icap/cmd/kubectl-icap/internal/targets"
	"icap/internal/flow"
	"icap/internal/report"
	"icap/internal/sight"
)

const eventsLong = `events prints one line for each SYN, SYN-ACK, FIN and RST, for each SYN that
nothing answers or that ICMP answers, each burst of retransmissions and each
window of zero: who did it, why, how sure that is and by what evidence.

Where both ends of a connection are among the pods, what each of them has sent and
got is known, so that it is certain whether a RST came from the peer or from
somebody on the way, also through the NAT of a service. Pictures (-o svg, html,
mermaid) show all pods from left to right.`

// newEvents explains what happened to connections.
func newEvents(cl *cluster) *cobra.Command {
	var config report.EventsConfig
	cmd := newAnalysis(cl, func(cmd *cobra.Command) (analysis, error) {
		events, err := report.NewEvents(cmd.OutOrStdout(), config)
		if err != nil {
			return analysis{}, usageError{err}
		}
		return analysis{events.See, events.Finish}, nil
	})
	cmd.Use = "events TARGET [expression] | events TARGET... -- [expression]"
	cmd.Short = "Say who opened, closed and reset connections across pods, and why"
	cmd.Long = eventsLong
	cmd.Flags().StringSliceVar(&config.Only, "only", nil, "only these: syn, syn-ack, fin, rst, timeout, icmp, retransmit, zero-window")
	cmd.Flags().StringVarP(&config.Format, "format", "o", "text", "text, json (one object a line), or a picture: mermaid, svg, html")
	return cmd
}

const flowsLong = `flows lists the connections of pods at the end: on which leg, between whom, how
much went each way, how they ended, and what was spoken.

With --pairs it says which belong together: those on the two sides of a proxy, and
the two ends of one in two pods. With --hops it shows what each part took of those
that lead through several pods: app, proxy, network, proxy, app.`

// newFlows lists connections.
func newFlows(cl *cluster) *cobra.Command {
	var config report.FlowsConfig
	cmd := newAnalysis(cl, func(cmd *cobra.Command) (analysis, error) {
		flows, err := report.NewFlows(config)
		if err != nil {
			return analysis{}, usageError{err}
		}
		return analysis{flows.See, func() error { return flows.Print(cmd.OutOrStdout()) }}, nil
	})
	cmd.Use = "flows TARGET [expression] | flows TARGET... -- [expression]"
	cmd.Short = "List connections across pods: who, how much, how long each hop took"
	cmd.Long = flowsLong
	fs := cmd.Flags()
	fs.StringVar(&config.Sort, "sort", "start", "by start, bytes, packets or duration")
	fs.StringVarP(&config.Format, "format", "o", "table", "table, wide, json or csv")
	fs.BoolVar(&config.Pairs, "pairs", false, "list which connections belong together, and how likely that is")
	fs.BoolVar(&config.Hops, "hops", false, "list what each hop took")
	return cmd
}

// An analysis takes packets, and says at the end what is left to say.
type analysis struct {
	see    func(*flow.Sighting)
	finish func() error
}

// newAnalysis is a command that captures pods, and shows all packets to an
// analysis. With -w it keeps them as well.
func newAnalysis(cl *cluster, begin func(*cobra.Command) (analysis, error)) *cobra.Command {
	var (
		c capturing
		o output
	)
	c.choice.kind = targets.Pod
	cmd := &cobra.Command{}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := begin(cmd)
		if err != nil {
			return err
		}
		if o.path == "-" {
			return usagef("-w -: standard output is for what %s says; name a file", cmd.Name())
		}
		f, err := o.open()
		if err != nil {
			return err
		}
		err = pipe(func(out *os.File) error { return c.run(cmd, cl, "pod", args, out) }, func(in io.Reader) error {
			return a.read(in, f)
		})
		if f != nil {
			err = errors.Join(err, o.close(f))
		}
		return err
	}
	c.register(cmd.Flags())
	c.registerLegs(cmd.Flags())
	o.register(cmd.Flags())
	completeTargets(cmd, cl)
	completePlacing(cmd, cl)
	completeLegs(cmd)
	return cmd
}

// read shows a capture to the analysis, and copies it if there is a file.
func (a *analysis) read(in io.Reader, file *os.File) error {
	if file != nil {
		in = io.TeeReader(in, file)
	}
	err := sight.Read(in, "", a.see)
	if errors.Is(err, io.EOF) {
		return nil // nothing was captured
	}
	return errors.Join(err, a.finish())
}
