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
	pairs  []cause.Pair
	joins  joins
	chains []chain
	ids    flowIDs
	names  Names
}

// newPairing pairs connections, which come in the order of their beginning. The
// two ends of one connection, in two pods, are a pair as well.
func newPairing(all []*flow.Conn, names Names) *pairing {
	stretches := stretchesOf(all)
	found := joinsOf(stretches)
	pairs := found.among(stretches, cause.Pairs(stretches))
	return &pairing{pairs, found, found.chains(pairs), numberFlows(all, pairs), names}
}

// sort puts the pairs in the order of the connections that were accepted, and
// chains in that of their first ones.
func (p *pairing) sort(compare func(a, b *flow.Conn) int) {
	slices.SortStableFunc(p.chains, func(a, b chain) int { return compare(a[0].In.Conn, b[0].In.Conn) })
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
	// Join says that the two are one connection, at its ends in two pods.
	Join bool `json:"join,omitempty"`
}

func (all *pairing) records() []PairRecord {
	records := []PairRecord{}
	for _, p := range all.pairs {
		_, join := all.joins.of(&p)
		records = append(records, PairRecord{all.ids.first(p.In.Conn), newFlowRecord(p.In.Conn, all.names), newFlowRecord(p.Out.Conn, all.names),
			p.Sure, p.Likelihood, p.Evidence, join})
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
	head := []string{"flow", "sure", "likelihood", "evidence", "join"}
	for _, side := range []string{"accepted", "made"} {
		for _, cell := range flowCells {
			head = append(head, side+strings.ToUpper(cell[:1])+cell[1:])
		}
	}
	rows := [][]string{head}
	for _, r := range all.records() {
		likelihood := strconv.FormatFloat(r.Likelihood, 'f', 4, 64)
		rows = append(rows, slices.Concat([]string{strconv.Itoa(r.Flow), string(r.Sure), likelihood, r.Evidence, strconv.FormatBool(r.Join)},
			r.Accepted.cells(), r.Made.cells()))
	}
	return csv.NewWriter(w).WriteAll(rows)
}
