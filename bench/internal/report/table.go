package report

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
