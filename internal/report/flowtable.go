package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// A flowFormat writes connections. Hops says that those of chains through
// several pods can stand behind.
type flowFormat struct {
	write func(io.Writer, []*flow.Conn, Names) error
	hops  bool
}

// flowFormats are the formats of connections.
var flowFormats = map[string]flowFormat{
	"table": {func(w io.Writer, all []*flow.Conn, names Names) error { return flowTable(w, all, names, false) }, true},
	"wide":  {func(w io.Writer, all []*flow.Conn, names Names) error { return flowTable(w, all, names, true) }, true},
	"json":  {flowJSON, false},
	"csv":   {flowCSV, false},
}

// FlowColumns are the names of the columns of the table.
func FlowColumns() []string {
	return []string{"LEG", "CLIENT", "SERVER", "START", "TIME", "UP", "DOWN", "END", "SECURITY"}
}

// FlowRow is a line of the table. Its cells are ASCII.
func FlowRow(c *flow.Conn) []string {
	return []string{sight.Name(c.Place), c.Client.String(), c.Server.String(), plain.Clock(c.Start), plain.Duration(c.Duration()),
		plain.Bytes(float64(c.Up.Bytes)), plain.Bytes(float64(c.Down.Bytes)), ending(c), security(c)}
}

func flowTable(w io.Writer, all []*flow.Conn, names Names, wide bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := FlowColumns()
	if wide {
		head = append(head, "PACKETS", "HANDSHAKE", "RETRANS", "ZEROWIN", "INTERFACE", "PROCESSES")
	}
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, c := range all {
		row := FlowRow(c)
		if wide {
			row = append(row, fmt.Sprintf("%d/%d", c.Up.Packets, c.Down.Packets), plain.Duration(c.Handshake), retransmitted(c),
				fmt.Sprintf("%d/%d", c.Up.ZeroWindows, c.Down.ZeroWindows), plain.Text(c.Place), bothProcesses(c, names))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// bothProcesses are those at the two ends of a connection, as far as known.
func bothProcesses(c *flow.Conn, names Names) string {
	name := func(client bool) string {
		if p, ok := names.At(c, client, c.Start); ok && p.PID != 0 {
			return fmt.Sprintf("%d %s", p.PID, plain.Text(p.Command))
		}
		return "-"
	}
	return name(true) + " > " + name(false)
}

// A FlowRecord is a connection as JSON and CSV.
type FlowRecord struct {
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

func newFlowRecord(c *flow.Conn, names Names) *FlowRecord {
	client, _ := names.At(c, true, c.Start)
	server, _ := names.At(c, false, c.Start)
	return &FlowRecord{
		Interface: plain.Text(c.Place), Leg: sight.Leg(c.Place), Protocol: protocolName(c),
		Client: c.Client.String(), Server: c.Server.String(), Guessed: c.Guessed,
		Start: time.Unix(0, c.Start), Seconds: float64(c.Duration()) / 1e9, Handshake: float64(c.Handshake) / 1e9,
		UpBytes: c.Up.Bytes, DownBytes: c.Down.Bytes, UpPackets: c.Up.Packets, DownPackets: c.Down.Packets,
		UpRetrans: c.Up.Retransmits, DownRetrans: c.Down.Retransmits,
		UpZero: c.Up.ZeroWindows, DownZero: c.Down.ZeroWindows,
		End: ending(c), Security: c.Speaks.Protocol.String(), Exposed: exposed(c),
		SNI: plain.Text(c.Speaks.Name), ALPN: alpn(c),
		ClientPID: client.PID, ClientCommand: plain.Text(client.Command),
		ServerPID: server.PID, ServerCommand: plain.Text(server.Command),
	}
}

// flowJSON writes one array.
func flowJSON(w io.Writer, all []*flow.Conn, names Names) error {
	records := make([]*FlowRecord, len(all))
	for i, c := range all {
		records[i] = newFlowRecord(c, names)
	}
	e := plain.NewJSON(w)
	e.SetIndent("", "  ")
	return e.Encode(records)
}

// flowCells are the names of a record's columns in CSV.
var flowCells = []string{"interface", "leg", "protocol", "client", "server", "start", "seconds",
	"upBytes", "downBytes", "upPackets", "downPackets", "upRetransmits", "downRetransmits", "end", "security", "exposed", "sni", "alpn",
	"clientPid", "clientCommand", "serverPid", "serverCommand"}

func (r *FlowRecord) cells() []string {
	return []string{r.Interface, r.Leg, r.Protocol, r.Client, r.Server, r.Start.Format(time.RFC3339Nano),
		strconv.FormatFloat(r.Seconds, 'f', -1, 64), decimal(r.UpBytes), decimal(r.DownBytes), decimal(r.UpPackets), decimal(r.DownPackets),
		decimal(r.UpRetrans), decimal(r.DownRetrans), r.End, r.Security, strconv.FormatBool(r.Exposed), r.SNI, r.ALPN,
		pidCell(r.ClientPID), r.ClientCommand, pidCell(r.ServerPID), r.ServerCommand}
}

func flowCSV(w io.Writer, all []*flow.Conn, names Names) error {
	rows := [][]string{flowCells}
	for _, c := range all {
		rows = append(rows, newFlowRecord(c, names).cells())
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
