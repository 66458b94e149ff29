//go:build !nodemo

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"icap/internal/lab"
	"icap/istiofilter"
)

// playRole makes the program one of the stand-ins of the demonstration, if it was
// started as such; then it does not return.
func playRole() { lab.RunRole() }

const demoLong = `demo makes a pod out of network namespaces on this machine, with Istio's rules
and stand-ins for the app and Envoy, captures all legs of its traffic as
"icap pod" does, shows what the file holds, and takes everything down again.

It needs root. Nothing outside of its own namespaces is touched.`

const demoExample = `  icap demo
  icap demo -w /tmp/mesh.pcapng --force
  icap demo --rules dualstack`

func newDemo() *cobra.Command {
	f := captureFlags{output: "demo.pcapng", direction: "inout", guard: guardFlags{off: true}}
	rules := "today"
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Capture the traffic of a pod made for the purpose",
		Long:    demoLong,
		Example: demoExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, ok := demoRules[rules]
			if !ok {
				return usagef("--rules %q is not today, article or dualstack", rules)
			}
			d := &demo{session: newSession(cmd, &f), out: cmd.OutOrStdout()}
			return d.run(cmd.Context(), set)
		},
	}
	cmd.Flags().StringVarP(&f.output, "output", "w", f.output, "write pcapng to this file")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite an existing file")
	cmd.Flags().StringVar(&rules, "rules", rules, "Istio's rules: today, article (of Istio 1.12, uid 201507) or dualstack")
	return cmd
}

var demoRules = map[string]lab.Rules{
	"today": lab.Today, "article": lab.Article, "dualstack": lab.DualStack,
}

// demoTimeout ends a demonstration that hangs.
const demoTimeout = 30 * time.Second

// A demo is a capture of a lab under traffic.
type demo struct {
	*session
	out io.Writer
	lab *lab.Lab
	way way
	err error // of the traffic
}

func (d *demo) run(ctx context.Context, rules lab.Rules) (err error) {
	if err := d.checkOutput(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	if d.lab, err = lab.New(ctx, lab.Config{Rules: rules}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.lab.Close()) }()
	fmt.Fprintf(d.out, "A pod, productpage.default at %s, with a sidecar by Istio's rules (%s, through %s),\na peer reviews.default behind %s, and a client outside of the mesh.\n\n",
		d.lab.App.Addr, rules, d.lab.Applied, d.lab.Service)

	p, err := d.flags.find("netns:" + d.lab.App.Netns)
	if err != nil {
		return err
	}
	defer p.ns.Close()
	p.title = d.lab.App.Name + "." + d.lab.App.Namespace
	if err := d.addPod(p, istiofilter.AllLegs, ""); err != nil {
		return err
	}
	d.observe = d.way.observe
	d.started = func() {
		go func() {
			defer cancel()
			d.err = d.traffic(ctx)
		}()
	}
	if err := d.session.run(ctx); err != nil {
		return err
	}
	if d.err != nil {
		return fmt.Errorf("traffic of the demonstration: %w", d.err)
	}
	d.show()
	return nil
}

// traffic makes requests of every kind, and last the one whose way is shown.
func (d *demo) traffic(ctx context.Context) error {
	fetch := fmt.Sprintf("/fetch?url=http://%s/reviews/7", d.lab.Service)
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return d.lab.Inbound(ctx, false, "/plaintext") },
		func() (lab.Exchange, error) { return d.lab.Inbound(ctx, true, "/mtls") },
		func() (lab.Exchange, error) { return d.lab.OutboundMesh(ctx, "/reviews/1") },
		func() (lab.Exchange, error) { return d.lab.OutboundPassthrough(ctx, "/outside") },
		func() (lab.Exchange, error) { return d.lab.SelfService(ctx, "/own-service") },
		func() (lab.Exchange, error) { return d.lab.Localhost(ctx, "/localhost") },
		func() (lab.Exchange, error) { return d.lab.Health(ctx) },
		func() (lab.Exchange, error) { return d.lab.Admin(ctx) },
		func() (lab.Exchange, error) {
			d.way.begin(settled)
			defer d.way.end(settled)
			return d.lab.Inbound(ctx, true, fetch)
		},
	} {
		x, err := ask()
		if err == nil && x.Status != 200 {
			err = fmt.Errorf("%s: status %d %s", x.Case, x.Status, x.Err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled is how long to wait for the last packets of a request.
const settled = 50 * time.Millisecond

// show says what the file holds and how the request went.
func (d *demo) show() {
	fmt.Fprintf(d.out, "\nOne request, GET /fetch, came in by mutual TLS and made the app call reviews:\n\n")
	fmt.Fprintf(d.out, "  %-14s %-6s %-34s %8s %8s  %s\n", "leg", "on", "between", "start", "end", "packets")
	for _, l := range d.way.legs() {
		fmt.Fprintf(d.out, "  %-14s %-6s %-34s %6dus %6dus  %d\n",
			l.leg, l.on, l.leg.Meaning(), l.first.Microseconds(), l.last.Microseconds(), l.packets)
	}
	fmt.Fprintf(d.out, "\nRead it with:\n  tshark -r %s -Y 'frame.interface_name contains \"inbound-app\"'\n", d.flags.output)
}
