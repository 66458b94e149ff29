package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"icap/internal/report"
)

const eventsLong = `events prints one line for each SYN, SYN-ACK, FIN and RST, for each SYN that
nothing answers or that ICMP answers, each burst of retransmissions and each
window of zero: on which leg and connection, who did it, why, how sure that is
and by what evidence, and what the proxy did on another leg because of it.

It captures all legs of TARGET until ^C, and then names the process that has the
socket: as soon as conntrack knows of a connection, or when its packets are read.
With --ebpf the kernel tells at each step of a socket which process takes it, and
why it sends a RST: then nothing is too short. That takes Linux 5.8 with BTF, and
CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN.

Or it reads files (-r), of icap or of others. Files of icap know the legs; in
others it is client and server.

Where both pods of a connection are captured, into one file or live, what the one
sent is looked for at the other: who is meant by "peer or middlebox" is certain
then, what was lost between the pods is told, and causes are followed from pod to
pod.`

const eventsExample = `  icap events shop/web --only rst,timeout
  icap events shop/web --ebpf -o json | jq 'select(.event == "RST") | .reason'
  icap events -r web.pcapng
  icap events -r web.pcapng -o json host 10.1.2.3 | jq .why
  icap events -r both.pcapng -o json | jq 'select(.passage == "lost")'
  icap events -r web.pcapng -o html tcp port 8080 >web.html`

func newEvents() *cobra.Command {
	var (
		w      watch
		own    holders
		config report.EventsConfig
	)
	cmd := &cobra.Command{
		Use:     "events TARGET [expression] | -r FILE [expression]",
		Short:   "Say who opened, closed and reset connections, and why",
		Long:    eventsLong,
		Example: eventsExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := newListing(cmd)
			defer out.stop()
			config.Names = &own
			events, err := report.NewEvents(out, config)
			if err != nil {
				return usageError{err}
			}
			if len(w.files) == 0 {
				defer own.close()
				w.name(cmd, args, &own)
			}
			err = w.run(cmd, args, events.See)
			own.settle()
			if ferr := events.Finish(); err == nil && out.err == nil {
				err = ferr
			}
			return cmp.Or(err, out.fault())
		},
	}
	w.register(cmd)
	w.registerEBPF(cmd.Flags())
	cmd.Flags().StringSliceVar(&config.Only, "only", nil, "only these: syn, syn-ack, fin, rst, timeout, icmp, retransmit, zero-window")
	cmd.Flags().StringVarP(&config.Format, "format", "o", "text", "text, json (one object a line), or a picture: mermaid, svg, html")
	return cmd
}
