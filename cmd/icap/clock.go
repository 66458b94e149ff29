package main

import (
	"time"

	"github.com/spf13/cobra"

	"icap/internal/gather"
)

const clockLong = `clock answers each line of standard input with the time of this machine, in
nanoseconds since 1970-01-01 UTC, and ends with the input. Whoever merges the
captures of many machines asks by it how far their clocks are apart: at half of
the time that question and answer took, give or take that half, the clock stood
at the answer.`

const clockExample = `  echo | icap clock
  kubectl exec -i POD -- icap clock`

// newClock is for programs that ask, which the manual need not show.
func newClock() *cobra.Command {
	return &cobra.Command{
		Use:     "clock",
		Short:   "Answer each line of standard input with the time of this machine",
		Long:    clockLong,
		Example: clockExample,
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return gather.Answer(cmd.InOrStdin(), cmd.OutOrStdout(), time.Now)
		},
	}
}
