package main

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/afpacket"
	"icap/istiofilter"
)

// gatewayFlags say what is inside of the cluster and which side to capture.
type gatewayFlags struct {
	targets               []string
	pods, services, addrs []string
	downstream, upstream  bool
	print                 bool

	cluster []netip.Prefix // of pods and services
}

func (f *gatewayFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.targets, "target", nil, "capture this gateway, too; repeatable; all arguments are then the expression")
	fs.StringArrayVar(&f.pods, "pod-cidr", nil, "network of the cluster's pods; repeatable, or a list with commas (default: what the node shows)")
	fs.StringArrayVar(&f.services, "service-cidr", nil, "network of the cluster's services; repeatable, or a list with commas (default: what the node shows)")
	fs.StringArrayVar(&f.addrs, "gateway-ip", nil, "address of the gateway where it is captured from outside; repeatable, or a list with commas (default: those of TARGET)")
	fs.BoolVar(&f.downstream, "downstream", false, "only between clients and gateway")
	fs.BoolVar(&f.upstream, "upstream", false, "only between gateway and upstreams")
	registerPrint(fs, &f.print)
}

// chosen is the set of legs to write.
func (f *gatewayFlags) chosen() istiofilter.Legs {
	switch {
	case f.downstream && !f.upstream:
		return istiofilter.Set(istiofilter.GatewayDownstream)
	case f.upstream && !f.downstream:
		return istiofilter.Set(istiofilter.GatewayUpstream)
	}
	return istiofilter.GatewayLegs
}

const gatewayLong = `gateway captures the two sides of an Istio gateway, or a waypoint, as two legs of
one file: gateway-downstream between its clients and it, gateway-upstream between
it and what it forwards to.

The side is told by who opened a connection, and to which address: the
gateway's own addresses lie in the network of the pods as well, so that network
alone does not tell. For connections that are older than the capture the
gateway's listeners do, and where these are not known, the networks of pods and
services. They are found by themselves where the node shows them: in the command
lines of Kubernetes, the configuration of kube-proxy, flannel and CNI, the
routes.

Without -i it captures in the gateway's network namespace. With -i and the name
of an interface of the node, such as the bridge of the pods or the uplink, it
captures there what has an address of the gateway: that of TARGET, or of
--gateway-ip. With neither, the networks alone have to tell.`

const gatewayExample = `  icap gateway istio-system/istio-ingressgateway-7d9c -w gw.pcapng
  icap gateway label:istio=ingressgateway -w gw.pcapng
  icap gateway istio-system/istio-ingressgateway-7d9c -i br0 --upstream
  icap gateway -i br0 --gateway-ip 10.244.1.7 tcp port 8443
  icap gateway -i br0 --pod-cidr 192.168.0.0/12 --service-cidr 10.96.0.0/12`

func newGateway() *cobra.Command {
	var f captureFlags
	var gf gatewayFlags
	cmd := &cobra.Command{
		Use:     "gateway TARGET [expression] | gateway [TARGET] -i INTERFACE [expression]",
		Short:   "Capture the two sides of a gateway into one file",
		Long:    gatewayLong,
		Example: gatewayExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			targets, expr, err := gf.split(&f, args)
			if err != nil {
				return err
			}
			return gf.capture(cmd, &f, targets, expr, os.Stdout)
		},
	}
	f.register(cmd.Flags())
	gf.register(cmd.Flags())
	completeTargets(cmd)
	completeInterfaces(cmd, func([]string) (*place, error) { return here() })
	completeTriggers(cmd)
	return cmd
}

// capture captures the sides of gateways. Packets that go to standard output go
// to out.
func (f *gatewayFlags) capture(cmd *cobra.Command, c *captureFlags, targets []string, expr string, out *os.File) error {
	s := newSession(cmd, c)
	s.out = out
	all, err := f.find(s, targets)
	defer closeGateways(all)
	if err != nil {
		return err
	}
	for _, g := range all {
		if err := s.addGateway(g, f.chosen(), expr); err != nil {
			return err
		}
	}
	if f.print {
		return s.printFilters(cmd.OutOrStdout())
	}
	return s.run(cmd.Context())
}

// split parts the arguments into targets, of which there need not be any with
// -i, and the expression: what is no expression begins with the target.
func (f *gatewayFlags) split(c *captureFlags, args []string) (targets []string, expr string, err error) {
	if len(c.names()) > 0 || len(f.targets) > 0 {
		err := c.checkExpression(expression(args))
		if err == nil || len(f.targets) > 0 {
			return f.targets, expression(args), err
		}
	}
	if len(args) == 0 {
		return nil, "", usagef("a TARGET is needed, such as NAMESPACE/POD, or an interface of the node with -i")
	}
	return args[:1], expression(args[1:]), c.checkExpression(expression(args[1:]))
}

// A gatewayPlace is where a gateway is captured.
type gatewayPlace struct {
	*place
	of  *place // the gateway's own; nil if it is not known
	pod *istiofilter.Pod

	facts *facts // of the gateway's own place
}

func (g *gatewayPlace) close() {
	_ = g.ns.Close() // nothing was written to it
	if g.of != nil && g.of != g.place {
		_ = g.of.ns.Close()
	}
}

func closeGateways(all []*gatewayPlace) {
	for _, g := range all {
		g.close()
	}
}

// find finds the gateways and the places to capture them in, and says what it
// found. What is returned with an error is to be closed as well.
func (f *gatewayFlags) find(s *session, targets []string) (all []*gatewayPlace, err error) {
	if len(targets) == 0 {
		p, err := here()
		if err != nil {
			return nil, err
		}
		all = append(all, &gatewayPlace{place: p})
	} else if all, err = findGateways(s.flags, targets); err != nil {
		return all, err
	}
	if f.cluster, err = f.networks(s); err != nil {
		return all, err
	}
	for _, g := range all {
		if err := f.describe(s, g); err != nil {
			return all, err
		}
	}
	return all, nil
}

// findGateways finds those of targets. Each is captured in its own namespace if
// that has the interfaces, else here.
func findGateways(f *captureFlags, targets []string) (all []*gatewayPlace, err error) {
	places, err := f.findAll(targets)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		all = append(all, &gatewayPlace{place: p, of: p})
	}
	for _, g := range all {
		switch {
		case g.of.has(f.names()):
		case len(all) > 1:
			return all, usagef("-i: %s stands for %d gateways, and only one can be captured from outside", strings.Join(targets, ", "), len(all))
		default:
			p, err := here()
			if err != nil {
				return all, err
			}
			g.place = p
		}
	}
	return all, nil
}

// has reports whether all the interfaces are there.
func (p *place) has(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return name != anyInterface && indexByName(p.links, name) < 0
	})
}

// describe fills in what is known of the gateway.
func (f *gatewayFlags) describe(s *session, g *gatewayPlace) error {
	g.pod = &istiofilter.Pod{Gateway: true, Admin: reservedPorts[:], Control: controlPorts("", nil)}
	if g.of != nil {
		g.of.gateway = true
		facts, err := readFacts(g.of)
		if err != nil {
			return err
		}
		if facts.pod.Sidecar() {
			return usagef("%s is no gateway: %s; icap pod captures it", g.of, facts.mode)
		}
		facts.mode = "gateway, listening on port " + join(sorted(facts.pod.Listening...))
		if facts.pod.Shared {
			facts.mode += ", in the network of the node"
			facts.readConnections(g.of)
		}
		g.facts = facts
		g.of.about = facts.mode
		s.tellPod(g.of, facts)
		s.comment += "\ngateway: " + g.of.title
		g.pod = facts.pod
	}
	g.pod.Cluster = f.cluster
	if g.place == g.of {
		return nil
	}
	own, err := f.addresses(s, g)
	if err != nil {
		return err
	}
	g.place.about = "gateway, seen from outside"
	g.pod.Interfaces = nil
	for _, l := range g.usable() {
		g.pod.Interfaces = append(g.pod.Interfaces, istiofilter.Interface{Name: l.Name, Loopback: l.Loopback, Addrs: own})
	}
	return nil
}

// addresses are the gateway's, given or those of its pod. Without any of them
// the networks have to tell the sides.
func (f *gatewayFlags) addresses(s *session, g *gatewayPlace) (own []netip.Addr, err error) {
	for _, list := range f.addrs {
		for text := range strings.SplitSeq(list, ",") {
			a, err := netip.ParseAddr(strings.TrimSpace(text))
			if err != nil {
				return nil, usagef("--gateway-ip %s: not an address such as 10.244.1.7", text)
			}
			own = append(own, a.Unmap())
		}
	}
	if len(own) == 0 && g.of != nil {
		for _, l := range g.of.usable() {
			for _, a := range l.Addrs {
				if !l.Loopback && !a.Addr().IsLinkLocalUnicast() {
					own = append(own, a.Addr())
				}
			}
		}
	}
	switch {
	case len(own) > 0:
		fmt.Fprintf(s.errs, "icap: addresses of the gateway: %s\n", join(own))
	case len(g.pod.Cluster) == 0:
		return nil, usagef("nothing tells the sides of the gateway here: give TARGET, --gateway-ip or --pod-cidr")
	default:
		fmt.Fprintln(s.errs, "icap: note: the addresses of the gateway are not known; all TCP is taken for its own, and what stays within the networks for upstream (--gateway-ip or TARGET tells better)")
	}
	return own, nil
}

// networks are those of pods and services that are given, or that the node
// shows.
func (f *gatewayFlags) networks(s *session) (all []netip.Prefix, err error) {
	node := nodeAt(s.flags.procRoot)
	for _, kind := range []struct {
		flag, of string
		given    []string
		find     func() networks
	}{
		{"--pod-cidr", "pods", f.pods, node.podNetworks},
		{"--service-cidr", "services", f.services, node.serviceNetworks},
	} {
		nets, err := f.parse(s, kind.flag, kind.given)
		if err != nil {
			return nil, err
		}
		source := kind.flag
		if len(kind.given) == 0 {
			found := kind.find()
			nets, source = found.nets, found.source
		}
		all = append(all, nets...)
		if len(nets) > 0 {
			fmt.Fprintf(s.errs, "icap: networks of %s: %s (%s)\n", kind.of, join(nets), printable(source))
		} else {
			fmt.Fprintf(s.errs, "icap: note: the networks of %s are not known; %s gives them\n", kind.of, kind.flag)
		}
	}
	return all, nil
}

// parse reads networks, and clears the bits of hosts with a note.
func (f *gatewayFlags) parse(s *session, flag string, given []string) (nets []netip.Prefix, err error) {
	for _, list := range given {
		for text := range strings.SplitSeq(list, ",") {
			text = strings.TrimSpace(text)
			p, err := netip.ParsePrefix(text)
			if a, aerr := netip.ParseAddr(text); aerr == nil {
				p, err = a.Prefix(a.BitLen())
			}
			if err != nil {
				return nil, usagef("%s %s: not a network such as 10.244.0.0/16", flag, text)
			}
			if normal := p.Masked(); normal != p {
				if s.flags.strictCIDR {
					return nil, usagef("%s %s: host bits are set; %s has none", flag, text, normal)
				}
				fmt.Fprintf(s.errs, "icap: note: %s %s -> %s\n", flag, p, normal)
				p = normal
			}
			nets = append(nets, p)
		}
	}
	return nets, nil
}

// addGateway adds the interfaces on which the gateway's packets are seen.
func (s *session) addGateway(g *gatewayPlace, legs istiofilter.Legs, expr string) error {
	shared := g.pod.Shared && g.place == g.of
	links, err := g.captured(s.flags.names(), shared)
	if err != nil {
		return err
	}
	expr = s.spare(g.place, expr)
	var openers *openers
	var tracking *tracking
	if shared {
		openers = newOpeners(g.of, g.facts)
		tracking = s.track(g.of, openers, false)
		tracking.know(g.facts.known)
	}
	classifier := istiofilter.NewClassifier(g.pod)
	if openers != nil {
		classifier.Know(g.facts.known)
	}
	before := len(s.sources)
	for _, filter := range g.pod.Filters(legs) {
		i := indexByName(links, filter.Interface.Name)
		if i < 0 {
			continue
		}
		src := &source{
			place: g.place, link: links[i], expr: both(filter.Expr, expr),
			config: s.flags.ring(afpacket.LargeGeometry), classifier: classifier, legs: filter.Legs, exact: filter.Exact,
			openers: openers, tracking: tracking,
		}
		if g.place != g.of {
			// A bridge shows what it forwards only in promiscuous mode.
			src.config.Promiscuous = !s.flags.noPromisc
		}
		if err := src.compileFor(s.flags); err != nil {
			return err
		}
		s.sources = append(s.sources, src)
	}
	if len(s.sources) == before {
		return usagef("no interface of %s to capture a gateway on", g.place)
	}
	return nil
}
