package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"icap/cmd/kubectl-icap/internal/place"
)

const cleanupLong = `cleanup deletes the Jobs that kubectl icap has made and that are still there, and
with them their pods: those that have ended and one's own, or those of anybody with
--force. It need not be called: captures delete what they have made, and what a
client has left that was killed ends by itself within a minute.

Ephemeral containers (--via debug) end in the same way. They cannot be deleted, and
are listed in their pods for as long as these live.`

// newCleanup deletes what is left.
func newCleanup(cl *cluster) *cobra.Command {
	var (
		session, namespace string
		force              bool
	)
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Delete what killed captures have left in the cluster",
		Long:  cleanupLong,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := cl.connect()
			if err != nil {
				return err
			}
			return cleanup(cmd, c, namespace, session, force)
		},
	}
	cmd.Flags().StringVar(&session, "session", "", "only of this capture, whoever has made it")
	cmd.Flags().StringVar(&namespace, "capture-namespace", "icap", "namespace of the capture pods; empty for all")
	cmd.Flags().BoolVar(&force, "force", false, "also captures of others that may still run")
	return cmd
}

func cleanup(cmd *cobra.Command, c *clients, namespace, session string, force bool) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	all, err := place.Remainders(ctx, c.batch, namespace, session)
	if err != nil {
		return err
	}
	me := owner()
	for _, r := range all {
		what := "deleted"
		if !ours(&r, me, session, force) {
			what = "left: it is another's, see --force"
		}
		fmt.Fprintf(out, "job %s/%s of session %s, by %s, %v old: %s\n", r.Namespace, r.Name, r.Session, r.Owner, time.Since(r.Began).Round(time.Second), what)
	}
	wanted := slices.DeleteFunc(slices.Clone(all), func(r place.Remainder) bool { return !ours(&r, me, session, force) })
	if err := place.Remove(ctx, c.batch, wanted); err != nil {
		return err
	}
	if len(wanted) == 0 {
		fmt.Fprintln(out, "nothing to delete")
		return nil
	}
	if len(wanted) < len(all) {
		return nil
	}
	return place.AwaitGone(ctx, c.core, namespace, session)
}

// ours reports whether a remainder is to be deleted.
func ours(r *place.Remainder, me, session string, force bool) bool {
	return force || session != "" || r.Ended || r.Owner == me
}

// removeEnded deletes what earlier captures have left and the cluster has not
// removed yet. Who may not is told so by the capture.
func (c *capturing) removeEnded(ctx context.Context, cmd *cobra.Command, cl *clients) {
	if c.placing.via != viaJob {
		return
	}
	all, err := place.Remainders(ctx, cl.batch, c.placing.namespace, "")
	if err != nil {
		return
	}
	ended := slices.DeleteFunc(all, func(r place.Remainder) bool { return !r.Ended })
	if err := place.Remove(ctx, cl.batch, ended); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "icap: note: what an earlier capture has left is still there: %v\n", err)
	}
}
