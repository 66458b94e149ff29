package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/afpacket"
	"icap/internal/pods"
	"icap/istiofilter"
)

// podFlags choose legs.
type podFlags struct {
	targets                      []string
	follow, join                 bool
	legs                         string
	inbound, outbound, app, wire bool
	print                        bool
}

func (f *podFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.targets, "target", nil, "capture in this pod, too; repeatable; all arguments are then the expression")
	fs.BoolVar(&f.follow, "follow", false, "when the pod is replaced, go on with the new one in the same file; pods that get the labels of a target join")
	fs.BoolVar(&f.join, "join-stdin", false, "let targets join that standard input names, one a line, as soon as they are there; stop when it ends")
	fs.StringVar(&f.legs, "leg", "", "only these legs, a list with commas: "+strings.ReplaceAll(istiofilter.AllLegs.String(), ",", ", "))
	fs.BoolVar(&f.inbound, "inbound", false, "only inbound-wire and inbound-app")
	fs.BoolVar(&f.outbound, "outbound", false, "only outbound-wire and outbound-app")
	fs.BoolVar(&f.app, "app", false, "only the legs between proxy and app, in plaintext")
	fs.BoolVar(&f.wire, "wire", false, "only the legs between proxy and network")
}

// chosen is the set of legs to write: those that every flag allows.
func (f *podFlags) chosen() (istiofilter.Legs, error) {
	legs := istiofilter.AllLegs
	if f.legs != "" {
		var err error
		if legs, err = istiofilter.ParseLegs(f.legs); err != nil {
			return 0, usagef("--leg: %w", err)
		}
	}
	for _, c := range []struct {
		set  bool
		legs istiofilter.Legs
	}{
		{f.inbound, istiofilter.InboundLegs}, {f.outbound, istiofilter.OutboundLegs},
		{f.app, istiofilter.AppLegs}, {f.wire, istiofilter.WireLegs},
	} {
		if c.set {
			legs &= c.legs
		}
	}
	if legs == 0 {
		return 0, usagef("the flags for legs exclude each other: nothing is left")
	}
	return legs, nil
}

const podLong = `pod captures all legs of a pod's traffic into one file, in time order: on eth0
and lo, inside the pod's network namespace. Every leg is an interface of its own
in the file, so that Wireshark shows and filters it:

  frame.interface_name contains "inbound-app"

--stitch makes the app's own calls readable as one stream each. With --trigger only
what surrounds an event is written.

TARGET is NAMESPACE/POD, POD.NAMESPACE or POD, pid:N, netns:PATH or netns:NAME,
inode:N, container:ID, uid:UID, self or host. Several pods go into one file as
well, each leg of each pod as an interface: put -- between the targets and the
expression, or give each target with --target.

label:SELECTOR stands for all pods of the node that have these labels, as in
label:app=web, label:app=web,!canary or 'label:app in (web,db)'. The container
runtime is asked for them.`

const podExample = `  icap pod shop/web -w web.pcapng
  icap pod shop/web --stitch -w web.pcapng
  icap pod shop/web --trigger rst --pre 10s --post 10s -w resets.pcapng
  icap pod shop/web tcp port 8080
  icap pod shop/web shop/db -- tcp port 8080
  icap pod label:app=web --follow -w web.pcapng
  icap pod --target shop/web --target shop/db tcp port 8080`

func newPod() *cobra.Command {
	var f captureFlags
	var pf podFlags
	cmd := &cobra.Command{
		Use:     "pod TARGET [expression] | pod TARGET... -- [expression]",
		Aliases: []string{"sidecar", "ambient"},
		Short:   "Capture the legs of a pod's traffic into one file",
		Long:    podLong,
		Example: podExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return capturePods(cmd, &f, &pf, args, os.Stdout)
		},
	}
	f.register(cmd.Flags())
	pf.register(cmd.Flags())
	registerPrint(cmd.Flags(), &pf.print)
	completeLegs(cmd)
	completeInterfaces(cmd, f.placeOf)
	completeTriggers(cmd)
	return cmd
}

// registerPrint defines the flag of commands that can print their filters.
func registerPrint(fs *pflag.FlagSet, to *bool) {
	fs.BoolVar(to, "print-filters", false, "capture nothing; print what would be attached where")
}

// capturePods captures the legs of pods. Packets that go to standard output go
// to out.
func capturePods(cmd *cobra.Command, f *captureFlags, pf *podFlags, args []string, out *os.File) error {
	targets, expr, err := pf.split(args, cmd.ArgsLenAtDash())
	if err != nil {
		return err
	}
	if pf.join && pf.follow {
		return usagef("--join-stdin and --follow exclude each other: what follows a pod is named, too")
	}
	legs, err := pf.chosen()
	if err != nil {
		return err
	}
	if err := f.checkExpression(expr); err != nil {
		return hintSeveral(err, args, targets)
	}
	places, err := f.findAll(targets)
	if err != nil {
		return err
	}
	defer closeAll(places)
	s := newSession(cmd, f)
	s.out = out
	switch {
	case pf.join:
		s.summon(legs, expr)
		f.untilEOF = true
	case pf.follow:
		s.follow()
	}
	for _, p := range places {
		p.succeeded = p.succeeded || pf.join
		if err := s.addPod(p, legs, expr); err != nil {
			return err
		}
	}
	for _, text := range targets {
		if t, err := pods.ParseTarget(text); err == nil && t.Kind == pods.Labels && pf.follow {
			if f.guard.user != nil {
				return usagef("-Z %s: --follow asks the container runtime for %s, and its socket is root's", f.guard.name, t)
			}
			s.recruit(t.Labels, legs, expr)
		}
	}
	if pf.print {
		return s.printFilters(cmd.OutOrStdout())
	}
	return s.run(cmd.Context())
}

// addPod adds the interfaces of a pod on which wanted legs occur.
func (s *session) addPod(p *place, legs istiofilter.Legs, expr string) error {
	f := &follower{session: s, place: p, legs: legs, expr: s.spare(p, expr)}
	if err := f.findAgainBy(p.target); err != nil {
		return err
	}
	var err error
	if f.facts, err = p.study(); err != nil {
		return err
	}
	s.tellPod(p, f.facts)
	if f.sources, err = f.newSources(p, f.facts); err != nil {
		return err
	}
	s.comment += "\npod: " + p.title + ", " + p.about
	s.sources = append(s.sources, f.sources...)
	s.followers = append(s.followers, f)
	if s.following {
		f.watchRules(p)
	}
	if p.pod != nil {
		s.claim(p.pod.UID)
	}
	return nil
}

// newSources are the interfaces of the pod on which wanted legs occur.
func (f *follower) newSources(p *place, facts *facts) ([]*source, error) {
	flags := f.session.flags
	links, err := p.captured(flags.names(), facts.pod.Shared)
	if err != nil {
		return nil, err
	}
	classifier := istiofilter.NewClassifier(facts.pod)
	openers := newOpeners(p, facts)
	tracking := f.session.track(p, openers, facts.pod.Sidecar())
	tracking.know(facts.known)
	classifier.Know(facts.known)
	var sources []*source
	for _, filter := range facts.pod.Filters(f.legs) {
		i := indexByName(links, filter.Interface.Name)
		if i < 0 {
			continue
		}
		src := &source{
			place: p, link: links[i], expr: both(filter.Expr, f.expr),
			config: flags.ring(afpacket.PodGeometry), classifier: classifier, legs: filter.Legs,
			exact: filter.Exact, origins: originsOf(facts.pod, filter.Origins), openers: openers, tracking: tracking,
		}
		if err := src.compileFor(flags); err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	if len(sources) == 0 {
		tracking.stop()
		return nil, usagef("none of the legs %s occurs on the interfaces of %s: %s", f.legs, p, facts.mode)
	}
	return sources, nil
}

// about says what a pod is and how its traffic gets to a proxy.
func about(p *place, f *facts) string {
	if p.pod == nil || p.pod.Role == pods.Plain || f.pod.Sidecar() || p.gateway {
		return f.mode
	}
	return p.pod.Role.String() + ": nothing is redirected"
}

// both is the filter that matches what two filters match.
func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return "(" + a + ") and (" + b + ")"
}

// tellPod says what was found.
func (s *session) tellPod(p *place, f *facts) {
	where := p.ns.ID().String()
	if p.pid != 0 {
		where += fmt.Sprintf(", pid %d", p.pid)
	}
	fmt.Fprintf(s.errs, "icap: %s (%s): %s\n", printable(p.title), where, about(p, f))
	for _, note := range f.notes {
		fmt.Fprintf(s.errs, "icap: note: %s\n", printable(note))
	}
	for _, l := range p.links {
		if l.Up && !usable(l) {
			fmt.Fprintf(s.errs, "icap: note: interface %q is left out: its link type is %d, not Ethernet\n", l.Name, l.Type)
		}
	}
}
