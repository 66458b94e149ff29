package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// mermaid writes a sequence diagram in the language of mermaid.js.org.
func (d *drawing) mermaid(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "sequenceDiagram")
	for i, a := range d.actors {
		fmt.Fprintf(b, "  participant p%d as %s\n", i, inMermaid(d.name(a)))
	}
	for i := range d.rows {
		r := &d.rows[i]
		arrow := "->>"
		if r.lost || r.culprit {
			arrow = "-x"
		}
		fmt.Fprintf(b, "  p%d%sp%d: %s %s\n", r.from, arrow, r.to, d.since(r), inMermaid(r.label))
		if r.said == "" {
			continue
		}
		note := fmt.Sprintf("Note over p%d: %s\n", r.from, inMermaid(r.said))
		if r.culprit {
			note = fmt.Sprintf("rect rgb(255, 220, 220)\n  %s  end\n", note)
		}
		b.WriteString("  " + note)
	}
	if d.left > 0 {
		fmt.Fprintf(b, "  Note over p0: and %d more events\n", d.left)
	}
	return b.Flush()
}

// inMermaid makes a text one line that has no meaning in mermaid's language.
func inMermaid(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '#' || r == ';' || r == '<' || r == '>' || r == '&' || r == '"' || r == '%' || r < ' ':
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "end", "e#110;d") // a word of that language
}
