package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows of equal length, the first being the head. It prints as
// Markdown that can be read as it is.
type table [][]string

func (t table) write(w io.Writer) error {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range t {
		if _, err := fmt.Fprintln(w, line(row, width)); err != nil {
			return err
		}
		if n == 0 {
			if _, err := fmt.Fprintln(w, rule(width)); err != nil {
				return err
			}
		}
	}
	return nil
}

func line(row []string, width []int) string {
	var b strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		if i > 0 { // the first column is words, the others are numbers
			cell, pad = pad+cell, ""
		}
		b.WriteString("| " + cell + pad + " ")
	}
	return b.String() + "|"
}

func rule(width []int) string {
	var b strings.Builder
	for i, n := range width {
		if i == 0 {
			b.WriteString("|" + strings.Repeat("-", n+2))
		} else {
			b.WriteString("|" + strings.Repeat("-", n+1) + ":")
		}
	}
	return b.String() + "|"
}

// tableOf shows one load: a row for each peer.
func tableOf(s *series, peers []peer) table {
	if s.load.Count == 0 {
		return fixedTable(s, peers)
	}
	t := table{{"program", "kpps", "CPU ns/packet", "to " + base, "to copy", "waited %", "lost %", "file B/packet", "RSS MiB"}}
	for i := range peers {
		name := peers[i].name
		results := s.results[name]
		cost := collect(results, (*result).cost)
		t = append(t, []string{
			name,
			number(spreadOf(collect(results, func(r *result) float64 { return r.Rate / 1000 })).Median),
			number(spreadOf(cost).Median),
			ratio(cost, costs(s, base)),
			ratio(cost, costs(s, roleCopy)),
			number(spreadOf(collect(results, waited)).Max),
			fmt.Sprintf("%.2f", spreadOf(collect(results, func(r *result) float64 {
				return 100 * float64(r.Lost) / float64(max(r.Sent, 1))
			})).Median),
			perPacket(results),
			number(spreadOf(collect(results, memory)).Median),
		})
	}
	return t
}

// fixedTable shows what the programs take between ready and exit without a
// packet, start-up not counted.
func fixedTable(s *series, peers []peer) table {
	t := table{{"program", "CPU ms", "min-max", "RSS MiB"}}
	for i := range peers {
		results := s.results[peers[i].name]
		cpu := spreadOf(collect(results, func(r *result) float64 { return r.CPU.Seconds() * 1000 }))
		t = append(t, []string{
			peers[i].name,
			fmt.Sprintf("%.2f", cpu.Median),
			fmt.Sprintf("%.2f-%.2f", cpu.Min, cpu.Max),
			number(spreadOf(collect(results, memory)).Median),
		})
	}
	return t
}

// waited is how long a program waited for its CPU, as a part of the time that
// it ran.
func waited(r *result) float64 {
	return 100 * float64(r.Waited) / float64(max(r.CPU, 1))
}

func memory(r *result) float64 { return float64(r.Memory) / (1 << 20) }

func collect(results []result, f func(*result) float64) []float64 {
	values := make([]float64, len(results))
	for i := range results {
		values[i] = f(&results[i])
	}
	return values
}

func costs(s *series, name string) []float64 {
	return collect(s.results[name], (*result).cost)
}

// perPacket is the size of a file for each packet in it.
func perPacket(results []result) string {
	v := spreadOf(collect(results, func(r *result) float64 {
		return float64(r.FileSize) / float64(max(r.Packets, 1))
	}))
	if v.Max == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", v.Median)
}

// ratio shows the median of the paired ratios and their extremes.
func ratio(of, to []float64) string {
	pairs := ratios(of, to)
	if len(pairs) == 0 {
		return "-"
	}
	s := spreadOf(pairs)
	return fmt.Sprintf("%.2f (%.2f-%.2f)", s.Median, s.Min, s.Max)
}

func number(v float64) string { return fmt.Sprintf("%.0f", v) }
