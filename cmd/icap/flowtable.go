package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"icap/internal/flow"
)

// flowFormats are the values of -o.
var flowFormats = map[string]func(io.Writer, []*flow.Conn, *holders) error{
	"table": func(w io.Writer, all []*flow.Conn, own *holders) error { return flowTable(w, all, own, false) },
	"wide":  func(w io.Writer, all []*flow.Conn, own *holders) error { return flowTable(w, all, own, true) },
	"json":  flowJSON,
	"csv":   flowCSV,
}

// flowColumns are those of the table, and flowRow a line of it.
const flowColumns = "LEG\tCLIENT\tSERVER\tSTART\tTIME\tUP\tDOWN\tEND\tSECURITY"

func flowRow(c *flow.Conn) []string {
	return []string{placeName(c.Place), c.Client.String(), c.Server.String(), clock(c.Start), inTime(c.Duration()),
		inBytes(float64(c.Up.Bytes)), inBytes(float64(c.Down.Bytes)), ending(c), security(c)}
}

func flowTable(w io.Writer, all []*flow.Conn, own *holders, wide bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := flowColumns
	if wide {
		head += "\tPACKETS\tHANDSHAKE\tRETRANS\tZEROWIN\tINTERFACE\tPROCESSES"
	}
	fmt.Fprintln(t, head)
	for _, c := range all {
		row := flowRow(c)
		if wide {
			row = append(row, fmt.Sprintf("%d/%d", c.Up.Packets, c.Down.Packets), inTime(c.Handshake), retransmitted(c),
				fmt.Sprintf("%d/%d", c.Up.ZeroWindows, c.Down.ZeroWindows), printable(c.Place), bothProcesses(c, own))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// bothProcesses are those at the two ends of a connection, as far as known.
func bothProcesses(c *flow.Conn, own *holders) string {
	name := func(client bool) string {
		if h, ok := own.at(end{c, client}, c.Start); ok && h.PID != 0 {
			return fmt.Sprintf("%d %s", h.PID, printable(h.Command))
		}
		return "-"
	}
	return name(true) + " > " + name(false)
}

// inTime is a time in nanoseconds for people.
func inTime(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Second:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}

// A flowRecord is a connection as JSON and CSV.
type flowRecord struct {
	Interface string    `json:"interface"`
	Leg       string    `json:"leg,omitempty"`
	Protocol  string    `json:"protocol"`
	Client    string    `json:"client"`
	Server    string    `json:"server"`
	Guessed   bool      `json:"guessed"` // the beginning was not captured
	Start     time.Time `json:"start"`
	Seconds   float64   `json:"seconds"`
	Handshake float64   `json:"handshakeSeconds"`

	UpBytes     uint64 `json:"upBytes"`
	DownBytes   uint64 `json:"downBytes"`
	UpPackets   uint64 `json:"upPackets"`
	DownPackets uint64 `json:"downPackets"`
	UpRetrans   uint64 `json:"upRetransmits"`
	DownRetrans uint64 `json:"downRetransmits"`
	UpZero      uint64 `json:"upZeroWindows"`
	DownZero    uint64 `json:"downZeroWindows"`

	End      string `json:"end"`
	Security string `json:"security"`
	Exposed  bool   `json:"exposed"` // plaintext on a leg that Istio can encrypt
	SNI      string `json:"sni,omitempty"`
	ALPN     string `json:"alpn,omitempty"`

	// The processes at the two ends in the pod, live and as far as known.
	ClientPID     int    `json:"clientPid,omitempty"`
	ClientCommand string `json:"clientCommand,omitempty"`
	ServerPID     int    `json:"serverPid,omitempty"`
	ServerCommand string `json:"serverCommand,omitempty"`
}

func newFlowRecord(c *flow.Conn, own *holders) *flowRecord {
	client, _ := own.at(end{c, true}, c.Start)
	server, _ := own.at(end{c, false}, c.Start)
	return &flowRecord{
		Interface: printable(c.Place), Leg: legName(c.Place), Protocol: protocolName(c),
		Client: c.Client.String(), Server: c.Server.String(), Guessed: c.Guessed,
		Start: time.Unix(0, c.Start), Seconds: float64(c.Duration()) / 1e9, Handshake: float64(c.Handshake) / 1e9,
		UpBytes: c.Up.Bytes, DownBytes: c.Down.Bytes, UpPackets: c.Up.Packets, DownPackets: c.Down.Packets,
		UpRetrans: c.Up.Retransmits, DownRetrans: c.Down.Retransmits,
		UpZero: c.Up.ZeroWindows, DownZero: c.Down.ZeroWindows,
		End: ending(c), Security: c.Speaks.Protocol.String(), Exposed: exposed(c),
		SNI: printable(c.Speaks.Name), ALPN: alpn(c),
		ClientPID: client.PID, ClientCommand: printable(client.Command),
		ServerPID: server.PID, ServerCommand: printable(server.Command),
	}
}

// flowJSON writes one array.
func flowJSON(w io.Writer, all []*flow.Conn, own *holders) error {
	records := make([]*flowRecord, len(all))
	for i, c := range all {
		records[i] = newFlowRecord(c, own)
	}
	e := newJSON(w)
	e.SetIndent("", "  ")
	return e.Encode(records)
}

// flowCells are the names of a record's columns in CSV.
var flowCells = []string{"interface", "leg", "protocol", "client", "server", "start", "seconds",
	"upBytes", "downBytes", "upPackets", "downPackets", "upRetransmits", "downRetransmits", "end", "security", "exposed", "sni", "alpn",
	"clientPid", "clientCommand", "serverPid", "serverCommand"}

func (r *flowRecord) cells() []string {
	return []string{r.Interface, r.Leg, r.Protocol, r.Client, r.Server, r.Start.Format(time.RFC3339Nano),
		strconv.FormatFloat(r.Seconds, 'f', -1, 64), decimal(r.UpBytes), decimal(r.DownBytes), decimal(r.UpPackets), decimal(r.DownPackets),
		decimal(r.UpRetrans), decimal(r.DownRetrans), r.End, r.Security, strconv.FormatBool(r.Exposed), r.SNI, r.ALPN,
		pidCell(r.ClientPID), r.ClientCommand, pidCell(r.ServerPID), r.ServerCommand}
}

func flowCSV(w io.Writer, all []*flow.Conn, own *holders) error {
	rows := [][]string{flowCells}
	for _, c := range all {
		rows = append(rows, newFlowRecord(c, own).cells())
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// pidCell is a number, empty if it is not known.
func pidCell(pid int) string {
	if pid == 0 {
		return ""
	}
	return strconv.Itoa(pid)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
