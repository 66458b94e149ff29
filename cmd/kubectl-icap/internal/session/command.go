package session

import (
	"fmt"
	"slices"
	"time"

	"icap/cmd/kubectl-icap/internal/place"
)

// slack is how much longer than the client the nodes would go on: it ends them.
const slack = 10 * time.Second

// file is the one on the node that is written, or was last.
func (n *unit) file() string { return fmt.Sprintf("%s%s-%d.pcapng", n.session.OnNode, n.Node, n.files) }

// command is what runs in a seat, with the pods that are known by now.
func (n *unit) command(seat place.Seat) []string {
	s := n.session
	left := (time.Until(s.end) + slack).Round(time.Second)
	output := "-"
	if s.OnNode != "" {
		n.files++
		output = n.file()
	}
	words := slices.Concat([]string{"/icap"}, s.Command, []string{"-w", output, "--until-stdin-eof", "--until-stdin-silent", silence.String(), "--duration", left.String(), "--no-progress"})
	if seat.Inside {
		words = append(words, "--target", "self", "--as", n.Name)
	} else {
		for _, p := range n.pods {
			words = append(words, "--target", "uid:"+string(p.UID))
		}
		if s.Joins && s.Follow {
			words = append(words, "--join-stdin")
		}
	}
	if s.Expr != "" {
		words = append(words, "--", s.Expr)
	}
	return words
}
