package gather

import (
	"fmt"
	"strings"
)

// describe is the description of an interface in the file: the node, which of
// the node's sections it is if it has had others, its clock, and what the node
// itself said:
//
//	node worker-1 #2, clock +1.25ms ±70µs, corrected; app and its proxy
func describe(node string, part int, clock Offset, align bool, own string) string {
	text := "node " + strings.NewReplacer(",", "_", ";", "_").Replace(node)
	if part > 1 {
		text += fmt.Sprintf(" #%d", part)
	}
	if clock.Measured() {
		text += ", " + clock.text()
		if align {
			text += ", corrected"
		}
	}
	if own != "" {
		text += "; " + own
	}
	return text
}

// Origin is what came together, by the description of an interface: the node,
// and which of its sections if it has had others, such as "node worker-1 #2".
// It is empty for an interface of a file that was not gathered.
func Origin(description string) string {
	if !strings.HasPrefix(description, "node ") {
		return ""
	}
	if end := strings.IndexAny(description, ",;"); end >= 0 {
		return description[:end]
	}
	return description
}
