package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// options are what the command line says.
type options struct {
	suite  suite
	peers  []string
	icap   string
	disk   string
	memory string
	output string
}

func main() {
	var err error
	if len(os.Args) > 1 && os.Args[1] == roleCommand {
		err = runRole(os.Args[2:])
	} else {
		var o options
		if o, err = parse(os.Args[1:]); errors.Is(err, flag.ErrHelp) {
			return
		}
		if err == nil {
			err = benchmark(o)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var (
		o      options
		flags  = flag.NewFlagSet("bench", flag.ContinueOnError)
		quick  = flags.Bool("quick", false, "a run of less than a minute, for work on the code")
		smoke  = flags.Bool("smoke", false, "only make sure that everything works; the figures mean nothing")
		rounds = flags.Int("rounds", 0, "rounds of each load; 0 means as many as the suite has")
		sizes  = flags.String("sizes", "", "comma-separated frame sizes of the suite's loads; none means all")
		names  = flags.String("peers", "", "comma-separated peers to measure; none means all that are found")
	)
	flags.StringVar(&o.icap, "icap", "", "icap binary; none means to build it from this source tree")
	flags.StringVar(&o.memory, "tmpfs", "/dev/shm", "folder on tmpfs for the capture files")
	flags.StringVar(&o.disk, "disk", "", "folder on a disk for the capture files, instead of tmpfs")
	flags.StringVar(&o.output, "o", "", "file for the report, in Markdown, besides standard output")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case *smoke:
		o.suite = smokeSuite()
	case *quick:
		o.suite = quickSuite()
	default:
		o.suite = fullSuite()
	}
	if *rounds > 0 {
		o.suite.rounds = *rounds
	}
	if *names != "" {
		o.peers = strings.Split(*names, ",")
	}
	if *sizes != "" {
		return o, o.suite.keepSizes(strings.Split(*sizes, ","))
	}
	return o, nil
}

// benchmark takes everything down again that it makes, whichever way it ends.
func benchmark(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	dir := o.memory
	if o.disk != "" {
		dir = o.disk
	}
	if err := checkRoom(dir, o.suite.largest(), o.disk != ""); err != nil {
		return err
	}
	r := report{machine: machine(), rounds: o.suite.rounds, target: "tmpfs"}
	if o.disk != "" {
		r.target = "a disk"
	}

	binaries, err := newScratch(os.TempDir()) // tmpfs may be mounted noexec
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, binaries.close()) }()
	if r.peers, r.missing, err = o.find(ctx, binaries.path); err != nil {
		return err
	}
	b, err := newBench(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r.cpus = b.cpus
	for _, m := range r.missing {
		fmt.Fprintln(os.Stderr, "not measured:", m)
	}
	if r.series, err = o.suite.run(ctx, b, r.peers, os.Stderr); ctx.Err() != nil {
		return errors.New("interrupted")
	} else if err != nil {
		return err
	}
	r.faults = o.suite.faults(r.series)
	if err := o.show(&r); err != nil {
		return err
	}
	if len(r.faults) > 0 {
		return fmt.Errorf("%d runs did not give what they should", len(r.faults))
	}
	return nil
}

// find finds the peers that were asked for, and builds icap, if need be, into
// a folder.
func (o *options) find(ctx context.Context, dir string) ([]peer, []string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	icap := o.icap
	if icap == "" {
		icap = filepath.Join(dir, "icap")
		if len(o.peers) == 0 || slices.Contains(o.peers, "icap") {
			if err := build(ctx, icap); err != nil {
				return nil, nil, err
			}
		}
	}
	return choosePeers(peers(icap, self), o.peers)
}

// build builds icap from the module that this one's go.mod points to.
func build(ctx context.Context, to string) error {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "icap")
	root, err := list.Output()
	if err != nil {
		return fmt.Errorf("find the source of icap (run bench in its own folder, or give -icap): %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, "./cmd/icap")
	cmd.Dir = strings.TrimSpace(string(root))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build icap: %w\n%s", err, out)
	}
	return nil
}

func (o *options) show(r *report) error {
	if err := r.write(os.Stdout); err != nil {
		return err
	}
	if o.output == "" {
		return nil
	}
	f, err := os.Create(o.output)
	if err != nil {
		return err
	}
	return errors.Join(r.write(f), f.Close())
}
