package main

import (
	"time"

	"github.com/spf13/cobra"
)

// newWait is what the container of a pod runs in which icap is called by
// kubectl exec: its image has no other program.
func newWait() *cobra.Command {
	var idle time.Duration
	cmd := &cobra.Command{
		Use:   "wait",
		Short: "Do nothing until a signal comes, as the process of a pod",
		Example: `  command: [/icap, wait]                           of a container, which kubectl exec enters:
  kubectl exec -i -n icap icap-node -- /icap pod shop/web -w - | wireshark -k -i -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if idle < 0 {
				return usagef("--idle %v is negative", idle)
			}
			if idle > 0 {
				return awaitIdle(cmd.Context(), idle)
			}
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.Flags().DurationVar(&idle, "idle", 0, "also end when no other process has run in this container for so long, such as 30s")
	return cmd
}
