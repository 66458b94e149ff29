package main

import (
	"strings"
	"testing"
)

func TestGrid(t *testing.T) {
	g := grid{
		head:  []string{"LEG", "CLIENT", "END"},
		rows:  [][]string{{"inbound-app", "10.0.0.1:40000", "closed"}, {"-", "[fd00::1]:1", "open"}},
		spare: []string{"LEG", "END"},
	}
	for _, test := range []struct {
		width int
		want  string
	}{
		{80, "LEG          CLIENT          END|inbound-app  10.0.0.1:40000  closed|-            [fd00::1]:1     open"},
		{35, "LEG          CLIENT          END|inbound-app  10.0.0.1:40000  closed|-            [fd00::1]:1     open"},
		{34, "CLIENT          END|10.0.0.1:40000  closed|[fd00::1]:1     open"},
		{14, "CLIENT|10.0.0.1:40000|[fd00::1]:1"},
		{10, "CLIENT|10.0.0.1:>|[fd00::1]>"},
	} {
		if got := strings.Join(g.fit(test.width), "|"); got != test.want {
			t.Errorf("width %d:\n got %s\nwant %s", test.width, got, test.want)
		}
	}
}
