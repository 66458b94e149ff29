package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"icap/internal/cause"
	"icap/internal/flow"
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
others it is client and server.`

const eventsExample = `  icap events shop/web --only rst,timeout
  icap events shop/web --ebpf -o json | jq 'select(.event == "RST") | .reason'
  icap events -r web.pcapng
  icap events -r web.pcapng -o json host 10.1.2.3 | jq .why
  icap events -r web.pcapng -o html tcp port 8080 >web.html`

func newEvents() *cobra.Command {
	var (
		w      watch
		own    holders
		only   []string
		format string
	)
	cmd := &cobra.Command{
		Use:     "events TARGET [expression] | -r FILE [expression]",
		Short:   "Say who opened, closed and reset connections, and why",
		Long:    eventsLong,
		Example: eventsExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			kinds, err := parseKinds(only)
			if err != nil {
				return err
			}
			out := newListing(cmd)
			defer out.stop()
			print, finish, err := eventPrinter(out, &own, format)
			if err != nil {
				return err
			}
			judge := cause.NewJudge(func(f *cause.Finding) {
				if kinds == nil || slices.Contains(kinds, f.Kind) {
					own.explain(f)
					print(f)
				}
			})
			if len(w.files) == 0 {
				defer own.close()
				w.name(cmd, args, &own)
			}
			tracker := flow.Tracker{Event: func(e *flow.Event) {
				pod, where := whereabouts(e.Conn.Place)
				own.note(pod, where, e)
				judge.See(pod, where, e)
			}}
			err = w.run(cmd, args, tracker.See)
			own.settle()
			tracker.Finish()
			judge.Flush()
			if ferr := finish(); err == nil && out.err == nil {
				err = ferr
			}
			return cmp.Or(err, out.fault())
		},
	}
	w.register(cmd)
	w.registerEBPF(cmd.Flags())
	cmd.Flags().StringSliceVar(&only, "only", nil, "only these: syn, syn-ack, fin, rst, timeout, icmp, retransmit, zero-window")
	cmd.Flags().StringVarP(&format, "format", "o", "text", "text, json (one object a line), or a picture: mermaid, svg, html")
	return cmd
}

// kindNames are the values of --only.
var kindNames = map[string]flow.Kind{
	"syn": flow.Opening, "syn-ack": flow.Accepted, "fin": flow.Closing, "rst": flow.Reset,
	"timeout": flow.NoAnswer, "retransmit": flow.Retransmits, "zero-window": flow.NoRoom, "icmp": flow.Undelivered,
}

func parseKinds(names []string) (kinds []flow.Kind, err error) {
	for _, name := range names {
		k, ok := kindNames[strings.ToLower(name)]
		if !ok {
			return nil, usagef("--only %q is not syn, syn-ack, fin, rst, timeout, icmp, retransmit or zero-window", name)
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// eventPrinter prints findings, and what is left when there are no more.
func eventPrinter(out io.Writer, own *holders, format string) (print func(*cause.Finding), finish func() error, err error) {
	nothing := func() error { return nil }
	switch format {
	case "text":
		return func(f *cause.Finding) { fmt.Fprintln(out, eventLine(f, own)) }, nothing, nil
	case "json":
		lines := newJSON(out)
		return func(f *cause.Finding) { _ = lines.Encode(newEventRecord(f, own)) }, nothing, nil
	}
	picture, ok := pictures[format]
	if !ok {
		return nil, nil, usagef("-o %q is not text, json, mermaid, svg or html", format)
	}
	var all []*cause.Finding
	left := 0
	print = func(f *cause.Finding) {
		if len(all) < maxRows {
			all = append(all, f)
		} else {
			left++
		}
	}
	return print, func() error { return picture(draw(all, left, own), out) }, nil
}

// pictures are the values of -o for which all events have to be known.
var pictures = map[string]func(*drawing, io.Writer) error{
	"mermaid": (*drawing).mermaid,
	"svg":     (*drawing).svg,
	"html":    (*drawing).html,
}

// eventLine is one line of text.
func eventLine(f *cause.Finding, own *holders) string {
	var b strings.Builder
	from, to := f.Conn.Client, f.Conn.Server
	if !f.ByClient {
		from, to = to, from
	}
	fmt.Fprintf(&b, "%s %-13s %s > %s %s by %s", clock(f.Time), placeName(f.Conn.Place), from, to, f.Event.Kind, f.Who)
	if h, ok := own.of(f); ok {
		fmt.Fprintf(&b, " (%s)", h)
	}
	switch f.Kind {
	case flow.Opening, flow.Accepted, flow.Closing:
		if f.Sure != cause.Certain {
			fmt.Fprintf(&b, " (%s): %s [%s]", f.Sure, f.Why, f.Evidence)
		}
		if f.Because != "" {
			fmt.Fprintf(&b, " <- %s", f.Because)
		}
		return b.String()
	}
	fmt.Fprintf(&b, " (%s): %s", f.Sure, f.Why)
	if f.Harmless {
		b.WriteString("; harmless")
	}
	fmt.Fprintf(&b, " [%s]", f.Evidence)
	if f.Impact != "" {
		fmt.Fprintf(&b, " -> %s", f.Impact)
	}
	if f.Because != "" {
		fmt.Fprintf(&b, " <- %s", f.Because)
	}
	return b.String()
}

// clock is the time of day of a packet.
func clock(ns int64) string { return time.Unix(0, ns).Format("15:04:05.000000") }

// An eventRecord is an event as JSON.
type eventRecord struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	Place    string    `json:"interface"`
	Leg      string    `json:"leg,omitempty"`
	Pod      string    `json:"pod,omitempty"`
	Client   string    `json:"client"`
	Server   string    `json:"server"`
	ByClient bool      `json:"byClient"`
	Who      string    `json:"who"`
	// PID and Command are of the process that has the socket of Who, live and
	// where known. Listening says that it is the socket that listens there.
	PID       int     `json:"pid,omitempty"`
	Command   string  `json:"command,omitempty"`
	UID       *uint32 `json:"uid,omitempty"`
	Listening bool    `json:"listening,omitempty"`
	// Netns is the inode of the network namespace, live.
	Netns uint64 `json:"netns,omitempty"`

	Why      string          `json:"why,omitempty"`
	Sure     cause.Certainty `json:"sure"`
	Evidence string          `json:"evidence"`
	Reason   string          `json:"reason,omitempty"` // of the kernel for a RST, with --ebpf
	Harmless bool            `json:"harmless"`
	Impact   string          `json:"impact,omitempty"`
	Because  string          `json:"because,omitempty"`
}

func newEventRecord(f *cause.Finding, own *holders) *eventRecord {
	h, _ := own.of(f)
	return &eventRecord{
		PID: h.PID, Command: printable(h.Command), UID: h.user(), Listening: h.listening, Netns: own.pods[f.Pod].netns,
		Time: time.Unix(0, f.Time), Event: f.Event.Kind.String(), Place: printable(f.Conn.Place),
		Leg: legName(f.Conn.Place), Pod: printable(f.Pod),
		Client: f.Conn.Client.String(), Server: f.Conn.Server.String(), ByClient: f.ByClient,
		Who: f.Who, Why: f.Why, Sure: f.Sure, Evidence: f.Evidence, Reason: f.Reason, Harmless: f.Harmless, Impact: f.Impact, Because: f.Because,
	}
}
