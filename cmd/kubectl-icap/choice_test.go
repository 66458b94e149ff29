package main

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		dash   int
		labels string
		all    bool
		names  []string
		expr   string
	}{
		"one":                {args: []string{"web-0", "tcp", "port", "80"}, dash: -1, names: []string{"web-0"}, expr: "tcp port 80"},
		"several":            {args: []string{"web-0", "db-0", "tcp"}, dash: 2, names: []string{"web-0", "db-0"}, expr: "tcp"},
		"several with slash": {args: []string{"deploy/web", "shop/db-0", "tcp"}, dash: -1, names: []string{"deploy/web", "shop/db-0"}, expr: "tcp"},
		"a network":          {args: []string{"web-0", "10.0.0.0/8"}, dash: -1, names: []string{"web-0"}, expr: "10.0.0.0/8"},
		"a network of IPv6":  {args: []string{"web-0", "fd00::/8"}, dash: -1, names: []string{"web-0"}, expr: "fd00::/8"},
		"arithmetic":         {args: []string{"web-0", "len/2=50"}, dash: -1, names: []string{"web-0"}, expr: "len/2=50"},
		"labels":             {args: []string{"tcp", "port", "80"}, dash: -1, labels: "app=web", expr: "tcp port 80"},
		"labels and more":    {args: []string{"db-0", "udp"}, dash: 1, labels: "app=web", names: []string{"db-0"}, expr: "udp"},
		"all":                {dash: -1, all: true},
	} {
		c := choice{selector: tt.labels, all: tt.all}
		names, expr, err := c.split(tt.args, tt.dash)
		if !slices.Equal(names, tt.names) || expr != tt.expr || err != nil {
			t.Errorf("%s: %q, %q, %v, want %q, %q", name, names, expr, err, tt.names, tt.expr)
		}
	}
	if _, _, err := new(choice).split(nil, -1); exitCode(err) != exitUsage {
		t.Errorf("without targets: %v", err)
	}
}
