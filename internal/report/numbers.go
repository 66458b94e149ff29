package report

import (
	"fmt"
	"strings"

	"icap/internal/cause"
	"icap/internal/flow"
)

// flowIDs number what goes through a proxy: a connection that it made has the
// numbers of those that it was made for.
type flowIDs map[*flow.Conn][]flowID

// A flowID is a number, and how likely it is the connection's.
type flowID struct {
	number     int
	inherited  bool // it is that of another connection
	likelihood float64
	certain    bool
}

// numberFlows numbers connections, which come in the order of their beginning,
// from 1. Of several that the proxy may have made for one, the likeliest has
// its number.
func numberFlows(all []*flow.Conn, pairs []cause.Pair) flowIDs {
	paired := make(map[*flow.Conn]bool)
	madeFor := make(map[*flow.Conn][]cause.Pair)
	for _, p := range pairs { // the likeliest first
		if !paired[p.In.Conn] {
			paired[p.In.Conn] = true
			madeFor[p.Out.Conn] = append(madeFor[p.Out.Conn], p)
		}
	}
	ids := make(flowIDs)
	for _, c := range all {
		if len(madeFor[c]) == 0 {
			ids[c] = []flowID{{number: len(ids) + 1, likelihood: 1, certain: true}}
		}
	}
	for c := range madeFor {
		ids.inherit(c, madeFor)
	}
	return ids
}

// inherit gives a connection the numbers of those that it was made for, which
// may have been made for others themselves: those of a pod to itself.
func (ids flowIDs) inherit(c *flow.Conn, madeFor map[*flow.Conn][]cause.Pair) {
	if ids[c] != nil {
		return
	}
	for _, p := range madeFor[c] {
		ids.inherit(p.In.Conn, madeFor)
		for _, id := range ids[p.In.Conn] {
			id.inherited = true
			id.likelihood *= p.Likelihood
			id.certain = id.certain && p.Sure == cause.Certain
			ids[c] = append(ids[c], id)
		}
	}
}

// first is the number of a connection that has one of its own.
func (ids flowIDs) first(c *flow.Conn) int {
	if len(ids[c]) == 0 {
		return 0
	}
	return ids[c][0].number
}

// maxShown is how many numbers a comment has at most.
const maxShown = 8

// comment is what all packets of a connection say.
func (ids flowIDs) comment(c *flow.Conn) string {
	var b strings.Builder
	b.WriteString("icap:")
	for i, id := range ids[c] {
		if i == maxShown {
			fmt.Fprintf(&b, ", and %d more", len(ids[c])-maxShown)
			break
		}
		fmt.Fprintf(&b, " [flow %d]", id.number)
		if id.inherited {
			sure := cause.Likely
			if id.certain {
				sure = cause.Certain
			}
			b.WriteString(" " + howSure(sure, id.likelihood))
		}
	}
	return b.String()
}
