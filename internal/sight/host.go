package sight

import (
	"strings"

	"icap/internal/capfile"
)

// hostOf is the node whose clock has told the times of an interface, as streams
// of several nodes that were merged say: "node worker-1 #2, clock ...". It is
// empty in the capture of one host.
func hostOf(i *capfile.Interface) string {
	said, ok := strings.CutPrefix(i.Description, "node ")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(said, " ,;"); end >= 0 {
		said = said[:end]
	}
	return said
}
