package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"icap/cmd/kubectl-icap/internal/targets"
	"icap/internal/plain"
)

const lsLong = `ls lists the pods that targets and labels stand for, as pod captures them: with
their nodes, what they are in the mesh as far as their descriptions tell, and
their addresses. Without any of these it lists all of the namespace. Nothing is
placed on the nodes.`

// A lsRow is one pod.
type lsRow struct {
	Namespace string   `json:"namespace"`
	Pod       string   `json:"pod"`
	UID       string   `json:"uid"`
	Node      string   `json:"node"`
	Role      string   `json:"role"`
	Addresses []string `json:"addresses,omitempty"`
	// LeftOut says why the pod cannot be captured.
	LeftOut string `json:"leftOut,omitempty"`
}

// newLs lists what would be captured.
func newLs(cl *cluster) *cobra.Command {
	c := choice{kind: targets.Pod}
	var format string
	cmd := &cobra.Command{
		Use:     "ls [TARGET...]",
		Aliases: []string{"list", "pods"},
		Short:   "List the pods that targets stand for",
		Long:    lsLong,
		RunE: func(cmd *cobra.Command, args []string) error {
			print, ok := map[string]func(io.Writer, []lsRow) error{"table": lsTable, "json": lsJSON}[format]
			if !ok {
				return usagef("-o %q is not table or json", format)
			}
			rows, err := c.list(cmd, cl, args)
			if err != nil {
				return err
			}
			return print(cmd.OutOrStdout(), rows)
		},
	}
	c.register(cmd.Flags())
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	completeTargets(cmd, cl)
	return cmd
}

// list asks for the pods.
func (c *choice) list(cmd *cobra.Command, cl *cluster, args []string) ([]lsRow, error) {
	all, err := cl.connect()
	if err != nil {
		return nil, err
	}
	queries, err := c.queries(cmd.Context(), all, args)
	if err != nil {
		return nil, err
	}
	if len(queries) == 0 {
		q, err := targets.Selected(all.namespace, "")
		if err != nil {
			return nil, err
		}
		queries = append(queries, q)
	}
	pods, left, err := all.targets().Find(cmd.Context(), queries)
	if err != nil && len(left) == 0 {
		return nil, err
	}
	var rows []lsRow
	for _, p := range pods {
		rows = append(rows, newRow(p, ""))
	}
	for _, l := range left {
		rows = append(rows, newRow(l.Pod, l.Why))
	}
	return rows, nil
}

func newRow(p *corev1.Pod, why string) lsRow {
	r := lsRow{Namespace: p.Namespace, Pod: p.Name, UID: string(p.UID), Node: p.Spec.NodeName, Role: targets.Role(p), LeftOut: why}
	for _, ip := range p.Status.PodIPs {
		r.Addresses = append(r.Addresses, ip.IP)
	}
	return r
}

func lsJSON(w io.Writer, rows []lsRow) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

func lsTable(w io.Writer, rows []lsRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAMESPACE\tPOD\tROLE\tADDRESS\tNODE")
	for i := range rows {
		r := &rows[i]
		address, node := "-", r.Node
		if len(r.Addresses) > 0 {
			address = r.Addresses[0]
		}
		if r.LeftOut != "" {
			node = "(" + r.LeftOut + ")"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", plain.Text(r.Namespace), plain.Text(r.Pod), r.Role, plain.Text(address), plain.Text(node))
	}
	return t.Flush()
}
