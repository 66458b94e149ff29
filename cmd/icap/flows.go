package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"icap/internal/flow"
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
frame.comment contains "[flow 7]" shows them all.`

const flowsExample = `  icap flows shop/web --duration 30s
  icap flows -r web.pcapng --sort bytes -o wide
  icap flows -r web.pcapng -o csv tcp port 8080
  icap flows -r web.pcapng --pairs -w numbered.pcapng`

// A flowList is what a call of flows lists.
type flowList struct {
	watch  watch
	order  string
	format string
	paired bool
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
	fs.StringVar(&l.order, "sort", "start", "by start, bytes, packets or duration")
	fs.StringVarP(&l.format, "format", "o", "table", "table, wide, json or csv")
	fs.BoolVar(&l.paired, "pairs", false, "list which connection of the proxy belongs to which, and how likely that is")
	fs.StringVarP(&l.output, "output", "w", "", "with --pairs and -r: also write the files to this one, with a comment on each packet: [flow N], shared by all legs")
	fs.BoolVar(&l.force, "force", false, "overwrite an existing file")
	return cmd
}

// run lists connections, and then copies the files if that is asked for.
func (l *flowList) run(cmd *cobra.Command, args []string) error {
	write, err := l.check()
	if err != nil {
		return err
	}
	var all []*flow.Conn
	tracker := flow.Tracker{Done: func(c *flow.Conn) { all = append(all, c) }}
	if len(l.watch.files) == 0 {
		defer l.own.close()
		l.watch.name(cmd, args, &l.own)
		tracker.Event = func(e *flow.Event) {
			pod, where := whereabouts(e.Conn.Place)
			l.own.note(pod, where, e)
		}
	}
	err = watchFlows(cmd, &l.watch, args, &tracker, l.order)
	l.own.settle()
	tracker.Finish()
	out := newListing(cmd)
	defer out.stop()
	pairs, werr := write(out, all)
	if err == nil && out.err == nil {
		err = werr
	}
	if err == nil && l.output != "" {
		err = copyWithIDs(l.watch.files, expression(args), l.output, l.force, all, pairs.ids)
	}
	return cmp.Or(err, out.fault())
}

// check returns what writes the list of connections, which come in the order
// of their beginning, and with --pairs returns what belongs together.
func (l *flowList) check() (write func(io.Writer, []*flow.Conn) (*pairing, error), err error) {
	compare, ok := flowOrders[l.order]
	if !ok {
		return nil, usagef("--sort %q is not start, bytes, packets or duration", l.order)
	}
	print, ok := flowFormats[l.format]
	if !ok {
		return nil, usagef("-o %q is not table, wide, json or csv", l.format)
	}
	if l.output != "" {
		if err := checkCopy(&l.watch, l.paired); err != nil {
			return nil, err
		}
	}
	if !l.paired {
		return func(w io.Writer, all []*flow.Conn) (*pairing, error) {
			return nil, print(w, slices.SortedStableFunc(slices.Values(all), compare), &l.own)
		}, nil
	}
	printPairs, ok := pairFormats[l.format]
	if !ok {
		return nil, usagef("--pairs is written as table, json or csv, not as %s", l.format)
	}
	return func(w io.Writer, all []*flow.Conn) (*pairing, error) {
		p := newPairing(all, &l.own)
		p.sort(compare)
		return p, printPairs(w, p)
	}, nil
}

// watchFlows shows all packets to the tracker, and meanwhile what it makes of
// them, if somebody looks.
func watchFlows(cmd *cobra.Command, w *watch, args []string, t *flow.Tracker, order string) error {
	if len(w.files) > 0 {
		return w.run(cmd, args, t.See)
	}
	live := newLiveFlows(cmd, order, t)
	if live == nil {
		return w.run(cmd, args, t.See)
	}
	live.start()
	defer live.stop()
	return w.run(cmd, args, live.see)
}

// flowOrders are the values of --sort: the earliest first, the most first.
var flowOrders = map[string]func(a, b *flow.Conn) int{
	"start": func(a, b *flow.Conn) int { return cmp.Compare(a.Start, b.Start) },
	"bytes": func(a, b *flow.Conn) int { return cmp.Compare(b.Up.Bytes+b.Down.Bytes, a.Up.Bytes+a.Down.Bytes) },
	"packets": func(a, b *flow.Conn) int {
		return cmp.Compare(b.Up.Packets+b.Down.Packets, a.Up.Packets+a.Down.Packets)
	},
	"duration": func(a, b *flow.Conn) int { return cmp.Compare(b.Duration(), a.Duration()) },
}

// exposed reports whether others can read what is said on a leg that Istio
// can encrypt.
func exposed(c *flow.Conn) bool {
	switch legName(c.Place) {
	case "inbound-wire", "outbound-wire", "self-wire", "hbone":
		return c.Speaks.Protocol.Clear()
	}
	return false
}

// security says what is spoken, in a few words.
func security(c *flow.Conn) string {
	said := printable(c.Speaks.String())
	if exposed(c) {
		said += " (!)"
	}
	return said
}

// ending is how the connection ended.
func ending(c *flow.Conn) string {
	if c.Proto != flow.ProtoTCP {
		return "-"
	}
	return c.End.String()
}

// retransmitted is how many segments were sent again, up and down.
func retransmitted(c *flow.Conn) string {
	return fmt.Sprintf("%d/%d", c.Up.Retransmits, c.Down.Retransmits)
}

// protocolName is TCP or UDP.
func protocolName(c *flow.Conn) string {
	if c.Proto == flow.ProtoTCP {
		return "tcp"
	}
	return "udp"
}

// alpn is what the client offers.
func alpn(c *flow.Conn) string { return printable(strings.Join(c.Speaks.ALPN, ",")) }
