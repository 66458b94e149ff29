package main

import (
	"slices"
	"strings"
)

// A grid is a table for a terminal of some width. Its cells are ASCII.
type grid struct {
	head []string
	rows [][]string
	// spare are the columns that may be left out, the first one first.
	spare []string
}

// fit returns the lines of the table, none of which is wider than width. Where
// it is too wide, columns are left out, and then lines are cut.
func (g *grid) fit(width int) []string {
	var columns []int
	for i := range g.head {
		columns = append(columns, i)
	}
	widths := g.widths()
	for _, name := range g.spare {
		if total(columns, widths) <= width {
			break
		}
		columns = slices.DeleteFunc(columns, func(i int) bool { return g.head[i] == name })
	}
	lines := []string{gridLine(g.head, columns, widths, width)}
	for _, row := range g.rows {
		lines = append(lines, gridLine(row, columns, widths, width))
	}
	return lines
}

func (g *grid) widths() []int {
	widths := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	return widths
}

func total(columns, widths []int) int {
	sum := -gap
	for _, i := range columns {
		sum += widths[i] + gap
	}
	return sum
}

func gridLine(row []string, columns, widths []int, width int) string {
	var b strings.Builder
	for _, i := range columns {
		b.WriteString(row[i] + strings.Repeat(" ", widths[i]-len(row[i])+gap))
	}
	return cut(strings.TrimRight(b.String(), " "), width)
}

// cut makes a line no longer than width, which is at least 1.
func cut(text string, width int) string {
	if len(text) > width {
		return text[:width-1] + ">"
	}
	return text
}
