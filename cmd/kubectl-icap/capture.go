package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/bpfc"
	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/internal/session"
	"icap/internal/gather"
	"icap/internal/netdb"
	"icap/istiofilter"
	"icap/pcapwriter"
)

// capturing are the flags of all commands that capture.
type capturing struct {
	choice  choice
	placing placing

	duration time.Duration
	follow   bool
	delay    time.Duration
	memory   string // for packets that wait
	align    bool
	details  bool

	legs      string
	onlyLegs  [4]bool // of legSets
	snaplen   int
	ring      string
	podCIDRs  []string
	svcCIDRs  []string
	direction [2]bool // downstream, upstream
}

// legSets are the flags for legs that have something in common.
var legSets = [4]struct{ name, of string }{
	{"inbound", "inbound-wire and inbound-app"},
	{"outbound", "outbound-wire and outbound-app"},
	{"app", "the legs between proxy and app, in plaintext"},
	{"wire", "the legs between proxy and network"},
}

func (c *capturing) register(fs *pflag.FlagSet) {
	c.choice.register(fs)
	c.placing.register(fs)
	fs.DurationVar(&c.duration, "duration", time.Hour, "stop after this time; the capture pods end soon afterwards in any case")
	fs.BoolVar(&c.follow, "follow", true, "pods that come later join: those that replace others, and new ones with the labels, also on other nodes")
	fs.DurationVar(&c.delay, "max-delay", 2*time.Second, "how long a packet waits for nodes that are silent")
	fs.StringVar(&c.memory, "max-memory", "256Mi", "how much may wait in memory; then the nodes wait, and their rings fill")
	fs.BoolVar(&c.align, "align", false, "correct the times of packets by how far the nodes' clocks are apart, as measured")
	fs.BoolVar(&c.details, "details", false, "show all that icap says on the nodes")
	fs.IntVar(&c.snaplen, "snapshot-length", 0, "keep so many bytes of a packet (0: 262144)")
	fs.StringVarP(&c.ring, "buffer-size", "B", "", "memory for the rings of each interface, such as 64m")
}

// registerLegs defines the flags that choose the legs of pods.
func (c *capturing) registerLegs(fs *pflag.FlagSet) {
	fs.StringVar(&c.legs, "leg", "", "only these legs, a list with commas: "+strings.ReplaceAll(istiofilter.AllLegs.String(), ",", ", "))
	for i, set := range legSets {
		fs.BoolVar(&c.onlyLegs[i], set.name, false, "only "+set.of)
	}
}

// command is what icap is called with on the nodes.
func (c *capturing) command(sub string) ([]string, error) {
	words := []string{sub}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag, value)
		}
	}
	if c.legs != "" {
		if _, err := istiofilter.ParseLegs(c.legs); err != nil {
			return nil, usagef("--leg: %w", err)
		}
	}
	add("leg", c.legs)
	for i, set := range legSets {
		if c.onlyLegs[i] {
			words = append(words, "--"+set.name)
		}
	}
	if c.snaplen < 0 {
		return nil, usagef("--snapshot-length %d is negative", c.snaplen)
	}
	if c.snaplen > 0 {
		add("snapshot-length", fmt.Sprint(c.snaplen))
	}
	add("buffer-size", c.ring)
	add("pod-cidr", strings.Join(c.podCIDRs, ","))
	add("service-cidr", strings.Join(c.svcCIDRs, ","))
	for i, name := range []string{"downstream", "upstream"} {
		if c.direction[i] {
			words = append(words, "--"+name)
		}
	}
	return words, nil
}

// check refuses what makes no sense before anybody is asked.
func (c *capturing) check(expr string) error {
	if c.duration < time.Second {
		return usagef("--duration %v is under 1s", c.duration)
	}
	if c.delay <= 0 {
		return usagef("--max-delay %v is not over 0", c.delay)
	}
	anyMask := netip.AddrFrom4([4]byte{255, 255, 255, 0}) // what broadcast is, the nodes know
	_, err := bpfc.CompileOptions(expr, bpfc.Ethernet, bpfc.Options{Netmask: anyMask, Limit: bpfc.NoLimit, Resolver: &netdb.Resolver{}})
	return err
}

// run captures the targets by a subcommand of icap into a file.
func (c *capturing) run(cmd *cobra.Command, cl *cluster, sub string, args []string, out *os.File) error {
	names, expr, err := c.choice.splitCommand(cmd, args)
	if err != nil {
		return err
	}
	if err := c.check(expr); err != nil {
		return err
	}
	config := session.Config{
		Expr: expr, Joins: sub == "pod", Follow: c.follow, Duration: c.duration,
		Errs: cmd.ErrOrStderr(), Details: c.details,
	}
	if config.Command, err = c.command(sub); err != nil {
		return err
	}
	memory, err := parseSize("--max-memory", c.memory)
	if err != nil {
		return err
	}
	ring, err := parseSize("--buffer-size", c.ring)
	if err != nil {
		return err
	}
	all, err := cl.connect()
	if err != nil {
		return err
	}
	config.REST, config.Client, config.Cluster = all.rest, all.core.RESTClient(), all.targets()
	if config.Placer, err = c.placing.placer(all, c.duration, ring); err != nil {
		return err
	}
	if c.placing.onNode != "" {
		config.OnNode = place.OutputDir + "/" + time.Now().UTC().Format("20060102T150405Z-")
		if !strings.HasPrefix(c.placing.onNode, "emptyDir") {
			fmt.Fprintf(config.Errs, "icap: files on the nodes stay: %s, %s*\n", c.placing.onNode, path.Base(config.OnNode))
		}
	}
	ctx := cmd.Context()
	if config.Queries, err = c.choice.queries(ctx, all, names); err != nil {
		return err
	}
	c.removeEnded(ctx, cmd, all)
	delay := c.delay
	if config.OnNode != "" {
		delay = session.FetchPatience // for files one after the other, which nobody watches
	}
	g := gather.New(out, gather.Config{
		Section: section(), Names: c.names(ctx, cmd, &config), Delay: delay, Memory: memory, Align: c.align,
	})
	return gatherAll(ctx, cmd, config, g)
}

// gatherAll runs the session beside the merge. When the output fails, the session
// ends.
func gatherAll(ctx context.Context, cmd *cobra.Command, config session.Config, g *gather.Gatherer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type end struct {
		result *gather.Result
		err    error
	}
	merged := make(chan end, 1)
	go func() {
		result, err := g.Run(context.WithoutCancel(ctx))
		cancel()
		merged <- end{result, err}
	}()
	outcome, err := session.Run(ctx, config, g)
	last := <-merged
	if err != nil {
		return err
	}
	summarize(cmd.ErrOrStderr(), last.result)
	err = errors.Join(outcome.Err(), written(last.err))
	if err != nil && outcome.Captured() {
		return faultError{err}
	}
	return err
}

// names are those of the API, for the file. What cannot be found out is told.
func (c *capturing) names(ctx context.Context, cmd *cobra.Command, config *session.Config) []pcapwriter.Name {
	var namespaces []string
	for _, q := range config.Queries {
		if q.Namespace != "" {
			namespaces = append(namespaces, q.Namespace)
		}
	}
	names, err := config.Cluster.Names(ctx, namespaces)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "icap: note: not all addresses get names: %v\n", err)
	}
	return names
}

// section is what the file says of itself.
func section() pcapwriter.Section {
	return pcapwriter.Section{Application: "kubectl-icap " + version, Comment: strings.Join(os.Args, " ")}
}
