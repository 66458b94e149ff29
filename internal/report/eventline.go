package report

import (
	"fmt"
	"strings"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/sight"
)

// eventLine is one line of text. It names the pod where several are captured.
func eventLine(f *cause.Finding, names Names, several bool) string {
	var b strings.Builder
	from, to := f.Conn.Client, f.Conn.Server
	if !f.ByClient {
		from, to = to, from
	}
	place := sight.Name(f.Conn.Place)
	if several && f.Known && f.Pod != "" {
		place += "@" + f.Pod
	}
	fmt.Fprintf(&b, "%s %-13s %s > %s %s by %s", plain.Clock(f.Time), place, from, to, f.Event.Kind, f.Who)
	if h, ok := doer(names, f); ok {
		fmt.Fprintf(&b, " (%s)", h)
	}
	switch f.Kind {
	case flow.Opening, flow.Accepted, flow.Closing:
		if f.Sure != cause.Certain || f.Passage == cause.Forged {
			fmt.Fprintf(&b, " (%s): %s [%s]", f.Sure, f.Why, f.Evidence)
		}
		b.WriteString(lost(f))
		if f.Because != "" {
			fmt.Fprintf(&b, " <- %s", f.Because)
		}
		return b.String()
	}
	fmt.Fprintf(&b, " (%s): %s", f.Sure, f.Why)
	if f.Harmless {
		b.WriteString("; harmless")
	}
	b.WriteString(lost(f))
	fmt.Fprintf(&b, " [%s]", f.Evidence)
	if f.Impact != "" {
		fmt.Fprintf(&b, " -> %s", f.Impact)
	}
	if f.Because != "" {
		fmt.Fprintf(&b, " <- %s", f.Because)
	}
	return b.String()
}

// lost says that a packet of an event went astray between two pods, "" if it
// did not.
func lost(f *cause.Finding) string {
	switch f.Kind {
	case flow.NoAnswer, flow.Retransmits:
		return "" // which say it
	}
	if f.Passage != cause.Lost {
		return ""
	}
	return fmt.Sprintf("; lost between the pods: it never came to %s", f.OtherPod)
}
