package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"icap/internal/cause"
	"icap/internal/plain"
	"icap/internal/sight"
)

// hopFormats are the formats with Hops.
var hopFormats = map[string]func(io.Writer, []HopRecord) error{
	"table": hopTable,
	"json":  hopJSON,
	"csv":   hopCSV,
}

// A HopRecord is a hop of a chain as JSON and CSV. Times are in seconds, absent
// where packets do not tell them.
type HopRecord struct {
	Flow int `json:"flow"`
	Hop  int `json:"hop"` // from 1
	// At is app, proxy or network. Pod is where that is; Leg, Client and Server
	// are of the connection by which requests come there, or where it asks.
	At     string `json:"at"`
	Pod    string `json:"pod,omitempty"`
	Leg    string `json:"leg"`
	Client string `json:"client"`
	Server string `json:"server"`
	// Connect is from the SYN to its answer; for the network it is how long
	// both were on their way.
	Connect *float64 `json:"connectSeconds,omitempty"`
	// Request is from the first byte of a request coming in to its going on,
	// Response the same of what answers it. At the first hop, which waits for
	// all that follows, and at the last, which answers, Response is from the
	// request to the answer.
	Request  *float64 `json:"requestSeconds,omitempty"`
	Response *float64 `json:"responseSeconds,omitempty"`
	// Halved says that the network's times are half of both ways: two clocks
	// have measured its ends.
	Halved     bool            `json:"halved,omitempty"`
	Sure       cause.Certainty `json:"sure"` // that all hops of the flow belong together
	Likelihood float64         `json:"likelihood"`
}

// hops are those of all chains.
func (p *pairing) hops() []HopRecord {
	all := []HopRecord{}
	for _, c := range p.chains {
		sure, likelihood := c.sure()
		for i, h := range p.joins.hops(c) {
			all = append(all, HopRecord{
				Flow: p.ids.first(c[0].In.Conn), Hop: i + 1, At: h.at, Pod: h.pod, Leg: plain.Text(sight.Leg(h.of.Place)),
				Client: h.of.Client.String(), Server: h.of.Server.String(),
				Connect: h.connect.seconds(), Request: h.request.seconds(), Response: h.response.seconds(),
				Halved: h.halved, Sure: sure, Likelihood: likelihood,
			})
		}
	}
	return all
}

func (s span) seconds() *float64 {
	if !s.known {
		return nil
	}
	seconds := float64(s.ns) / 1e9
	return &seconds
}

func hopTable(w io.Writer, all []HopRecord) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FLOW\tHOP\tCONNECT\tREQUEST\tRESPONSE\tCLIENT\tSERVER\tNOTE")
	for _, r := range all {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Flow, r.name(), shown(r.Connect), shown(r.Request), shown(r.Response), r.Client, r.Server, r.note())
	}
	return t.Flush()
}

// name is what a hop is called.
func (r *HopRecord) name() string {
	if r.Pod == "" {
		return r.At
	}
	return r.At + " of " + r.Pod
}

// note says what has to be known of the figures.
func (r *HopRecord) note() string {
	switch {
	case r.Hop == 1:
		return fmt.Sprintf("waits for all of it, %s", howSure(r.Sure, r.Likelihood))
	case r.Halved:
		return "half of both ways"
	case r.At == "network":
		return "one clock"
	}
	return r.Leg
}

// shown is a time for people.
func shown(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return plain.Duration(int64(*seconds * 1e9))
}

// hopJSON writes one array.
func hopJSON(w io.Writer, all []HopRecord) error {
	e := plain.NewJSON(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

func hopCSV(w io.Writer, all []HopRecord) error {
	rows := [][]string{strings.Split("flow,hop,at,pod,leg,client,server,connectSeconds,requestSeconds,responseSeconds,halved,sure,likelihood", ",")}
	for _, r := range all {
		rows = append(rows, []string{strconv.Itoa(r.Flow), strconv.Itoa(r.Hop), r.At, r.Pod, r.Leg, r.Client, r.Server,
			cell(r.Connect), cell(r.Request), cell(r.Response), strconv.FormatBool(r.Halved), string(r.Sure),
			strconv.FormatFloat(r.Likelihood, 'f', 4, 64)})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// cell is a number, empty if it is not known.
func cell(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return strconv.FormatFloat(*seconds, 'f', 9, 64)
}
