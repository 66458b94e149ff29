package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"icap/internal/cause"
	"icap/internal/flow"
)

// pairFormats are the values of -o with --pairs.
var pairFormats = map[string]func(io.Writer, []*flow.Conn) error{
	"table": pairTable,
	"json":  pairJSON,
}

// pairsOf finds pairs in the order of the connections.
func pairsOf(all []*flow.Conn) []cause.Pair {
	stretches := make([]*cause.Stretch, len(all))
	for i, c := range all {
		pod, where := whereabouts(c.Place)
		stretches[i] = &cause.Stretch{Conn: c, Where: where, Pod: pod}
	}
	return cause.Pairs(stretches)
}

func pairTable(w io.Writer, all []*flow.Conn) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "START\tACCEPTED\tCLIENT\tSERVER\tMADE\tCLIENT\tSERVER\tSURE\tBECAUSE")
	for _, p := range pairsOf(all) {
		sure := string(p.Sure)
		if p.Sure != cause.Certain {
			sure = fmt.Sprintf("%s %.2f", p.Sure, p.Likelihood)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clock(p.In.Start), placeName(p.In.Place), p.In.Client, p.In.Server,
			placeName(p.Out.Place), p.Out.Client, p.Out.Server, sure, p.Evidence)
	}
	return t.Flush()
}

// A pairRecord is a pair as JSON.
type pairRecord struct {
	Accepted   *flowRecord     `json:"accepted"`
	Made       *flowRecord     `json:"made"`
	Sure       cause.Certainty `json:"sure"`
	Likelihood float64         `json:"likelihood"`
	Evidence   string          `json:"evidence"`
}

// pairJSON writes one array.
func pairJSON(w io.Writer, all []*flow.Conn) error {
	records := []pairRecord{}
	for _, p := range pairsOf(all) {
		records = append(records, pairRecord{newFlowRecord(p.In.Conn), newFlowRecord(p.Out.Conn), p.Sure, p.Likelihood, p.Evidence})
	}
	e := newJSON(w)
	e.SetIndent("", "  ")
	return e.Encode(records)
}
