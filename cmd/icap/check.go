package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/internal/sight"
)

const checkLong = `check says whether capture files are complete, and proves it from the files
alone: from the statistics that icap writes for each interface, at the end and
every few seconds, and those of other programs as far as they go. A file is complete if

  * it ends with a whole block, and has the last statistics of each interface,
    which tell when the capture ended,
  * the kernel dropped nothing, and all that it received was written,
  * the packets in the file are as many as the statistics say.

The exit code is 0 if all files are complete, else 1, and each reason is told.
A packet that a program lost without counting it is not in its statistics.`

const checkExample = `  icap check web.pcapng
  icap check ring-*.pcapng && rm -f incomplete`

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Prove from a file's own statistics that it is complete",
		Long:    checkLong,
		Example: checkExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("a file to check is needed")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkFiles(cmd.OutOrStdout(), args)
		},
	}
}

func checkFiles(out io.Writer, paths []string) error {
	incomplete := 0
	for _, path := range paths {
		reasons, packets, err := checkFile(path)
		if err != nil {
			return err
		}
		if len(reasons) == 0 {
			_, err = fmt.Fprintf(out, "%s: complete, %s\n", printable(path), packets)
		} else {
			incomplete++
			_, err = fmt.Fprintf(out, "%s: not complete, %s\n  %s\n", printable(path), packets, strings.Join(reasons, "\n  "))
		}
		if err != nil {
			return err
		}
	}
	if incomplete > 0 {
		return fmt.Errorf("check: %d of %d files not complete", incomplete, len(paths))
	}
	return nil
}

// checkFile says why a file is not complete, and how many packets it has.
func checkFile(path string) (reasons []string, has string, err error) {
	inputs, err := openInputs([]string{path})
	defer closeInputs(inputs)
	if err != nil {
		return nil, "", err
	}
	account, err := capfile.Count(inputs[0].Reader)
	var torn *capfile.TornError
	var wrong *capfile.FormatError
	switch {
	case errors.As(err, &torn), errors.As(err, &wrong):
		reasons = append(reasons, err.Error()+" (icap repair cuts off what is behind the whole blocks)")
	case err != nil:
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	if account.Pcap {
		reasons = append(reasons, "pcap has no statistics that could prove it")
		return reasons, packets(account.Packets), nil
	}
	return append(reasons, unaccounted(account)...), packets(account.Packets), nil
}

// unaccounted says what the statistics of a file do not account for.
func unaccounted(a *capfile.Account) (reasons []string) {
	for _, group := range sameSource(a.Interfaces) {
		name := printable(group[0].Name)
		if name == "" {
			name = fmt.Sprintf("interface %d", group[0].Index)
		}
		if origin := gather.Origin(group[0].Description); origin != "" {
			name = printable(origin) + ", " + name
		}
		if a.Sections > 1 {
			name = fmt.Sprintf("section %d, %s", group[0].Section+1, name)
		}
		for _, reason := range checkSource(group) {
			reasons = append(reasons, name+": "+reason)
		}
	}
	return reasons
}

// sameSource puts the interfaces together that are legs of the packets of one
// source: they share what was received and dropped. In a file that was gathered
// from many nodes, each has sources of its own.
func sameSource(all []*capfile.InterfaceAccount) (groups [][]*capfile.InterfaceAccount) {
	type source struct {
		section      int
		name, origin string
	}
	at := make(map[source]int)
	for _, i := range all {
		leg := sight.Leg(i.Name)
		own := source{i.Section, strings.Replace(i.Name, ":"+leg, "", 1), gather.Origin(i.Description)}
		if g, ok := at[own]; ok && leg != "" {
			groups[g] = append(groups[g], i)
			continue
		}
		if leg != "" {
			at[own] = len(groups)
		}
		groups = append(groups, []*capfile.InterfaceAccount{i})
	}
	return groups
}

// checkSource says what is missing of the packets of a source.
func checkSource(group []*capfile.InterfaceAccount) (reasons []string) {
	var have, since, gaps uint64
	ended := true
	for _, i := range group {
		if i.Statistics == nil {
			return []string{"no statistics: the capture did not end in order, or the program writes none"}
		}
		ended = ended && i.Statistics.Ended
		have += i.Packets
		since += i.Since
		gaps += i.Gaps
		if s := i.Statistics; s.Delivered.Told && s.Delivered.N != i.Packets {
			reasons = append(reasons, fmt.Sprintf("%s in the file, and the statistics say %d", packets(i.Packets), s.Delivered.N))
		}
	}
	s := group[0].Statistics
	dropped := max(s.Dropped.N, s.OSDropped.N)
	switch {
	case since > 0:
		reasons = append(reasons, packets(since)+" behind the last statistics: the capture did not end in order")
	case !ended:
		reasons = append(reasons, "ended without its last statistics: the capture did not end in order, or the program does not tell its end")
	}
	if dropped > 0 {
		reasons = append(reasons, fmt.Sprintf("%s dropped by the kernel", packets(dropped)))
	}
	if gaps > dropped {
		reasons = append(reasons, fmt.Sprintf("packets tell of %d dropped before them, and the statistics of %d", gaps, dropped))
	}
	received := s.Accepted
	if !received.Told {
		received = s.Received
	}
	switch {
	case !received.Told:
		reasons = append(reasons, "the statistics do not say how many packets were received")
	case received.N > dropped+have:
		reasons = append(reasons, fmt.Sprintf("%s received, and not written", packets(received.N-dropped-have)))
	}
	return reasons
}
