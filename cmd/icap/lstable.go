package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"icap/internal/plain"
)

// A lsPrinter prints rows, and what there is to say about the form.
type lsPrinter func(out, errs io.Writer, rows []lsRow) error

var lsFormats = map[string]lsPrinter{"table": printTable, "wide": printWide, "json": printJSON}

func printJSON(out, _ io.Writer, rows []lsRow) error {
	e := plain.NewJSON(out)
	e.SetIndent("", "  ")
	if rows == nil {
		rows = []lsRow{}
	}
	return e.Encode(rows)
}

// A lsColumn is a column of the table.
type lsColumn struct {
	head string
	cell func(*lsRow) string
	// order is when the column is left out of a table that is too wide: 1 is
	// first, 0 never.
	order int
}

var lsColumns = []lsColumn{
	{"TARGET", func(r *lsRow) string { return r.Target }, 0},
	{"PID", func(r *lsRow) string { return numeral(uint64(r.PID)) }, 0},
	{"NETNS", func(r *lsRow) string { return numeral(r.Inode) }, 5},
	{"ROLE", func(r *lsRow) string { return r.Role }, 0},
	{"MODE", func(r *lsRow) string { return r.Mode }, 4},
	{"UID", func(r *lsRow) string { return join(r.ProxyUIDs) }, 2},
	{"PROXY", func(r *lsRow) string { return some(r.ProxyPorts, 3) }, 1},
	{"APP", func(r *lsRow) string { return some(r.AppPorts, 3) }, 3},
	{"ADDRESS", func(r *lsRow) string { return some(r.addrs, 1) }, 0},
}

// lsWide has everything.
var lsWide = []lsColumn{
	lsColumns[0], lsColumns[1], lsColumns[2], lsColumns[3], lsColumns[4], lsColumns[5],
	{"PROXY", func(r *lsRow) string { return some(r.ProxyPorts, len(r.ProxyPorts)) }, 0},
	{"APP", func(r *lsRow) string { return some(r.AppPorts, len(r.AppPorts)) }, 0},
	{"WORKLOAD", func(r *lsRow) string { return r.Workload }, 0},
	{"INTERFACES", interfaces, 0},
}

// lsLabels stands behind those if any pod has labels.
var lsLabels = lsColumn{"LABELS", func(r *lsRow) string { return labelText(r.Labels) }, 0}

func numeral(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// some are the first of some values, and how many more there are.
func some[T any](values []T, most int) string {
	text := strings.ReplaceAll(join(values[:min(most, len(values))]), " ", "")
	if n := len(values) - most; n > 0 {
		text += fmt.Sprintf(",+%d", n)
	}
	return text
}

// interfaces are those with addresses: "eth0=10.244.0.11/24,fd00::b/64".
func interfaces(r *lsRow) string {
	var all []string
	for _, i := range r.Interfaces {
		all = append(all, i.Name+"="+some(i.Addrs, len(i.Addrs)))
	}
	if all == nil {
		return some(r.addrs, len(r.addrs))
	}
	return strings.Join(all, " ")
}

// tableWidth is what the table must fit, in columns of a terminal.
const tableWidth = 100

// printTable leaves out the columns for which there is no room.
func printTable(out, errs io.Writer, rows []lsRow) error {
	columns, left := lsColumns, []string{}
	for order := 1; width(columns, rows) > tableWidth && order < len(lsColumns); order++ {
		var keep []lsColumn
		for _, c := range columns {
			if c.order == order {
				left = append(left, c.head)
				continue
			}
			keep = append(keep, c)
		}
		columns = keep
	}
	err := writeTable(out, columns, rows, tableWidth)
	if len(left) > 0 {
		fmt.Fprintf(errs, "icap: no room for %s: -o wide has all\n", strings.Join(left, ", "))
	}
	return err
}

func printWide(out, _ io.Writer, rows []lsRow) error {
	columns := lsWide
	if slices.ContainsFunc(rows, func(r lsRow) bool { return len(r.Labels) > 0 }) {
		columns = append(slices.Clone(columns), lsLabels)
	}
	return writeTable(out, columns, rows, 0)
}

// width is that of the widest line.
func width(columns []lsColumn, rows []lsRow) int {
	sum := -gap
	for _, w := range widths(columns, rows) {
		sum += w + gap
	}
	return sum
}

// gap is what lies between two columns.
const gap = 2

func widths(columns []lsColumn, rows []lsRow) []int {
	all := make([]int, len(columns))
	for i, c := range columns {
		all[i] = len(c.head)
		for j := range rows {
			all[i] = max(all[i], len(cell(c, &rows[j])))
		}
	}
	return all
}

// cell is the text of a cell, which is never empty, so that programs can count
// the columns.
func cell(c lsColumn, r *lsRow) string {
	if text := printable(c.cell(r)); text != "" {
		return text
	}
	return "-"
}

// writeTable writes lines of at most so many bytes; 0 is no limit.
func writeTable(out io.Writer, columns []lsColumn, rows []lsRow, most int) error {
	all := widths(columns, rows)
	var b strings.Builder
	line := func(text func(lsColumn) string) {
		var l strings.Builder
		for i, c := range columns {
			fmt.Fprintf(&l, "%-*s", all[i]+gap, text(c))
		}
		s := strings.TrimRight(l.String(), " ")
		if most > 0 && len(s) > most {
			s = s[:most-1] + ">"
		}
		b.WriteString(s + "\n")
	}
	line(func(c lsColumn) string { return c.head })
	for i := range rows {
		line(func(c lsColumn) string { return cell(c, &rows[i]) })
	}
	_, err := io.WriteString(out, b.String())
	return err
}
