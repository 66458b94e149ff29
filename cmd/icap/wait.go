package main

import "github.com/spf13/cobra"

// newWait is what the container of a pod runs in which icap is called by
// kubectl exec: its image has no other program.
func newWait() *cobra.Command {
	return &cobra.Command{
		Use:   "wait",
		Short: "Do nothing until a signal comes, as the process of a pod",
		Example: `  command: [/icap, wait]                           of a container, which kubectl exec enters:
  kubectl exec -i -n icap icap-node -- /icap pod shop/web -w - | wireshark -k -i -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			<-cmd.Context().Done()
			return nil
		},
	}
}
