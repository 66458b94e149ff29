package report

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strings"

	"icap/internal/plain"
	"icap/internal/sight"
)

// Measures of the picture, in pixels.
const (
	svgLeft   = 110 // room for the times
	svgGap    = 190 // between lifelines
	svgTop    = 50
	svgLine   = 15 // one of text
	svgRow    = 28 // one of a short text
	svgWords  = 620
	svgColumn = 92 // characters in the width of svgWords
)

// svgStyle suits light and dark pages by a background of its own.
const svgStyle = `.bg{fill:#fff}text{font:12px sans-serif;fill:#222}.h{font-weight:bold;text-anchor:middle}.t{fill:#777;text-anchor:end}` +
	`.l{stroke:#bbb;stroke-dasharray:4 3}.a{stroke:#36c;stroke-width:1.4;fill:none}.m{text-anchor:middle}` +
	`.x{stroke:#c00;stroke-width:2;fill:none}.c{fill:#c00;font-weight:bold}.r{fill:#c00;fill-opacity:.08}.k{fill:#c00}`

// svg writes a picture that needs nothing else.
func (d *drawing) svg(w io.Writer) error {
	b := bufio.NewWriter(w)
	lines := make([][]string, len(d.rows))
	height := svgTop
	for i, r := range d.rows {
		lines[i] = wrap(r.said, svgColumn)
		height += rowHeight(lines[i])
	}
	words := svgLeft + len(d.actors)*svgGap - svgGap/4
	width := words + svgWords
	if d.left > 0 {
		height += svgRow
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"><style>%s</style>`,
		width, height+10, width, height+10, svgStyle)
	fmt.Fprintf(b, `<defs><marker id="e" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">`+
		`<path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs><rect class="bg" width="%d" height="%d"/>`+"\n", width, height+10)
	for i, a := range d.actors {
		fmt.Fprintf(b, `<text class="h" x="%[1]d" y="20">%[2]s</text><line class="l" x1="%[1]d" y1="30" x2="%[1]d" y2="%[3]d"/>`+"\n",
			lifeline(i), html.EscapeString(d.name(a)), height)
	}
	y := svgTop
	for i := range d.rows {
		d.svgRow(b, &d.rows[i], lines[i], y, words)
		y += rowHeight(lines[i])
	}
	if d.left > 0 {
		fmt.Fprintf(b, `<text x="%d" y="%d">and %d more events</text>`, svgLeft, y+svgLine, d.left)
	}
	fmt.Fprintln(b, "</svg>")
	return b.Flush()
}

func lifeline(i int) int { return svgLeft + svgGap/4 + i*svgGap }

func rowHeight(lines []string) int { return max(svgRow, len(lines)*svgLine+8) }

// svgRow draws one event at a height.
func (d *drawing) svgRow(b *bufio.Writer, r *row, lines []string, y, words int) {
	class, label := "a", "m"
	if r.culprit {
		class, label = "x", "m c"
		fmt.Fprintf(b, `<rect class="r" x="0" y="%d" width="%d" height="%d"/>`, y-13, words+svgWords, rowHeight(lines))
	}
	from, to := lifeline(r.from), lifeline(r.to)
	if r.culprit && !r.lost {
		fmt.Fprintf(b, `<circle class="k" cx="%d" cy="%d" r="5"/>`, from, y+3)
	}
	fmt.Fprintf(b, `<text class="t" x="%d" y="%d">%s</text>`, svgLeft-20, y+4, d.since(r))
	switch {
	case from == to:
		fmt.Fprintf(b, `<path class="%s" d="M%d %dh30v8h-30" marker-end="url(#e)"/><text x="%d" y="%d">%s</text>`,
			class, from, y, from+36, y+6, html.EscapeString(r.label))
	case r.lost:
		middle := (from + to) / 2
		fmt.Fprintf(b, `<path class="%s" d="M%d %dH%dm-5 -5l10 10m0 -10l-10 10"/>`, class, from, y+3, middle)
	default:
		fmt.Fprintf(b, `<path class="%s" d="M%d %dH%d" marker-end="url(#e)"/>`, class, from, y+3, to)
	}
	if from != to {
		fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`, label, (from+to)/2, y-1, html.EscapeString(r.label))
	}
	for i, line := range lines {
		fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, words, y+4+i*svgLine, html.EscapeString(line))
	}
	b.WriteByte('\n')
}

// wrap breaks a text into lines of at most so many bytes, where it has spaces.
func wrap(s string, width int) (lines []string) {
	for word := range strings.FieldsSeq(s) {
		for len(word) > width {
			lines, word = append(lines, word[:width]), word[width:]
		}
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= width {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// html writes a page that loads nothing.
func (d *drawing) html(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8">` +
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
		`<title>icap events</title><style>body{font:14px sans-serif;margin:2em}td,th{text-align:left;padding:2px 12px 2px 0}svg{max-width:100%;height:auto}</style></head><body>` + "\n")
	if err := d.svg(b); err != nil {
		return err
	}
	b.WriteString("<table><tr><th>#<th>leg<th>client<th>server<th>sent<th>received<th>end<th>security</tr>\n")
	for i, c := range d.conns {
		fmt.Fprintf(b, "<tr><td>%d", i+1)
		for _, cell := range []string{sight.Name(c.Place), c.Client.String(), c.Server.String(),
			plain.Bytes(float64(c.Up.Bytes)), plain.Bytes(float64(c.Down.Bytes)), ending(c), security(c)} {
			fmt.Fprintf(b, "<td>%s", html.EscapeString(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table></body></html>\n")
	return b.Flush()
}
