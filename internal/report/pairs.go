package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// pairFormats are the values of -o with --pairs.
var pairFormats = map[string]func(io.Writer, *pairing) error{
	"table": pairTable,
	"json":  pairJSON,
	"csv":   pairCSV,
}

// A pairing is which connections belong together, and the number that they
// share.
type pairing struct {
	pairs []cause.Pair
	ids   flowIDs
	names Names
}

// newPairing pairs connections, which come in the order of their beginning.
func newPairing(all []*flow.Conn, names Names) *pairing {
	stretches := make([]*cause.Stretch, len(all))
	for i, c := range all {
		stretches[i] = &cause.Stretch{Conn: c, Where: sight.Where(c.Place), Pod: sight.Pod(c.Place)}
	}
	pairs := cause.Pairs(stretches)
	return &pairing{pairs, numberFlows(all, pairs), names}
}

// sort puts the pairs in the order of the connections that were accepted.
func (p *pairing) sort(compare func(a, b *flow.Conn) int) {
	slices.SortStableFunc(p.pairs, func(a, b cause.Pair) int { return compare(a.In.Conn, b.In.Conn) })
}

func pairTable(w io.Writer, all *pairing) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FLOW\tSTART\tACCEPTED\tCLIENT\tSERVER\tMADE\tCLIENT\tSERVER\tSURE\tBECAUSE")
	for _, p := range all.pairs {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", all.ids.first(p.In.Conn), plain.Clock(p.In.Start),
			sight.Name(p.In.Place), p.In.Client, p.In.Server, sight.Name(p.Out.Place), p.Out.Client, p.Out.Server,
			howSure(p.Sure, p.Likelihood), p.Evidence)
	}
	return t.Flush()
}

// howSure is how certain a pair is, in words.
func howSure(sure cause.Certainty, likelihood float64) string {
	if sure == cause.Certain {
		return string(sure)
	}
	return fmt.Sprintf("%s %.2f", sure, likelihood)
}

// A PairRecord is a pair as JSON.
type PairRecord struct {
	Flow       int             `json:"flow"`
	Accepted   *FlowRecord     `json:"accepted"`
	Made       *FlowRecord     `json:"made"`
	Sure       cause.Certainty `json:"sure"`
	Likelihood float64         `json:"likelihood"`
	Evidence   string          `json:"evidence"`
}

func (all *pairing) records() []PairRecord {
	records := []PairRecord{}
	for _, p := range all.pairs {
		records = append(records, PairRecord{all.ids.first(p.In.Conn), newFlowRecord(p.In.Conn, all.names), newFlowRecord(p.Out.Conn, all.names),
			p.Sure, p.Likelihood, p.Evidence})
	}
	return records
}

// pairJSON writes one array.
func pairJSON(w io.Writer, all *pairing) error {
	e := plain.NewJSON(w)
	e.SetIndent("", "  ")
	return e.Encode(all.records())
}

func pairCSV(w io.Writer, all *pairing) error {
	head := []string{"flow", "sure", "likelihood", "evidence"}
	for _, side := range []string{"accepted", "made"} {
		for _, cell := range flowCells {
			head = append(head, side+strings.ToUpper(cell[:1])+cell[1:])
		}
	}
	rows := [][]string{head}
	for _, r := range all.records() {
		likelihood := strconv.FormatFloat(r.Likelihood, 'f', 4, 64)
		rows = append(rows, slices.Concat([]string{strconv.Itoa(r.Flow), string(r.Sure), likelihood, r.Evidence},
			r.Accepted.cells(), r.Made.cells()))
	}
	return csv.NewWriter(w).WriteAll(rows)
}
