package report

import (
	"fmt"
	"strings"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// eventLine is one line of text.
func eventLine(f *cause.Finding, names Names) string {
	var b strings.Builder
	from, to := f.Conn.Client, f.Conn.Server
	if !f.ByClient {
		from, to = to, from
	}
	fmt.Fprintf(&b, "%s %-13s %s > %s %s by %s", plain.Clock(f.Time), sight.Name(f.Conn.Place), from, to, f.Event.Kind, f.Who)
	if h, ok := doer(names, f); ok {
		fmt.Fprintf(&b, " (%s)", h)
	}
	switch f.Kind {
	case flow.Opening, flow.Accepted, flow.Closing:
		if f.Sure != cause.Certain {
			fmt.Fprintf(&b, " (%s): %s [%s]", f.Sure, f.Why, f.Evidence)
		}
		if f.Because != "" {
			fmt.Fprintf(&b, " <- %s", f.Because)
		}
		return b.String()
	}
	fmt.Fprintf(&b, " (%s): %s", f.Sure, f.Why)
	if f.Harmless {
		b.WriteString("; harmless")
	}
	fmt.Fprintf(&b, " [%s]", f.Evidence)
	if f.Impact != "" {
		fmt.Fprintf(&b, " -> %s", f.Impact)
	}
	if f.Because != "" {
		fmt.Fprintf(&b, " <- %s", f.Because)
	}
	return b.String()
}
