package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"icap/bench/internal/measure"
)

// options are what the command line says.
type options struct {
	suite    measure.Suite
	peers    []string
	icap     string
	disk     string
	memory   string
	transmit bool
	output   string
	chart    string
	command  string // without what belongs to this machine
	partial  bool   // not all that there is to measure
}

func parse(args []string) (options, error) {
	var (
		o      options
		flags  = flag.NewFlagSet("bench", flag.ContinueOnError)
		quick  = flags.Bool("quick", false, "a run of less than a minute, for work on the code")
		smoke  = flags.Bool("smoke", false, "only make sure that everything works; the figures mean nothing")
		rounds = flags.Int("rounds", 0, "rounds of each load; 0 means as many as the suite has")
		sizes  = flags.String("sizes", "", "comma-separated frame sizes, or imix, to have loads of; none means all of the suite")
		only   = flags.String("only", "", "comma-separated parts to run: "+strings.Join(measure.Parts(), ", ")+"; none means all")
		names  = flags.String("peers", "", "comma-separated peers to measure; none means those of the suite, all means all")
	)
	flags.StringVar(&o.icap, "icap", "", "icap binary; none means to build it from this source tree")
	flags.StringVar(&o.memory, "tmpfs", "/dev/shm", "folder on tmpfs for capture files")
	flags.StringVar(&o.disk, "disk", "", "folder on a disk for capture files; none means not to measure on a disk")
	flags.BoolVar(&o.transmit, "transmit", false, "send through the veth pair, also where live frames are to be had")
	flags.StringVar(&o.output, "o", "", "file for the report, in Markdown, besides standard output")
	flags.StringVar(&o.chart, "chart", "", "file for the chart, an SVG")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case *smoke:
		o.suite = measure.Smoke()
	case *quick:
		o.suite = measure.Quick()
	default:
		o.suite = measure.Full()
	}
	if *rounds > 0 {
		o.suite.Rounds = *rounds
	}
	switch *names {
	case "":
		o.peers = o.suite.Peers
	case "all":
	default:
		o.peers = strings.Split(*names, ",")
	}
	o.command = commandOf(flags)
	o.partial = *smoke || *quick || len(o.peers) > 0 || *only != "" || *sizes != ""
	if *only != "" {
		if err := o.suite.Only(strings.Split(*only, ",")); err != nil {
			return o, err
		}
	}
	if *sizes != "" {
		return o, o.suite.OnlySizes(strings.Split(*sizes, ","))
	}
	return o, nil
}

// commandOf is the command line for a report: of a path it has only the end
// for a file, and nothing for a folder.
func commandOf(flags *flag.FlagSet) string {
	words := []string{"go", "-C", "bench", "run", "."}
	flags.Visit(func(f *flag.Flag) {
		value := f.Value.String()
		switch {
		case slices.Contains([]string{"disk", "tmpfs"}, f.Name):
			value = "DIR"
		case slices.Contains([]string{"o", "chart", "icap"}, f.Name):
			value = filepath.Base(value)
		}
		if value == "true" {
			words = append(words, "-"+f.Name)
		} else {
			words = append(words, "-"+f.Name, value)
		}
	})
	return strings.Join(words, " ")
}
