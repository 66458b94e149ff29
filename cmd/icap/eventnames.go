package main

import (
	"strconv"
	"strings"

	"github.com/ncruces/go-strftime"

	"icap/internal/capture"
)

// eventNames make the names of files for events. A name that has a % is
// expanded by strftime; what would have the same name again, and all others,
// has a number behind it.
type eventNames struct {
	output string
	last   string // without the number
	again  int    // how many files had the same name before
	used   bool
}

// at is the name of the first file at a place.
func (n *eventNames) at(p capture.Place) string {
	if strings.Contains(n.output, "%") {
		return strftime.Format(n.output, p.Begin)
	}
	return n.output
}

// next is the name of the next file.
func (n *eventNames) next(p capture.Place) string {
	name := n.at(p)
	if n.used && name == n.last {
		n.again++
	} else {
		n.last, n.again = name, 0
	}
	n.used = true
	return n.current()
}

func (n *eventNames) current() string {
	if n.again == 0 {
		return n.last
	}
	return n.last + strconv.Itoa(n.again)
}

// takeBack says that the last file is removed, and returns its name, which the
// next one may have.
func (n *eventNames) takeBack() string {
	name := n.current()
	if n.again == 0 {
		n.used = false
	} else {
		n.again--
	}
	return name
}
