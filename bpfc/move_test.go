package bpfc

import "testing"

// TestMoveBranches moves the branches of small programs, given as code and
// what becomes of it.
func TestMoveBranches(t *testing.T) {
	src, dst := field(26, 4), field(30, 4)
	tests := []struct {
		name        string
		build, want func(g *graph) *block
	}{
		{
			"a repeated test",
			func(g *graph) *block {
				return g.is(src, 1, g.is(src, 1, g.accept, g.reject), g.reject)
			},
			func(g *graph) *block { return g.is(src, 1, g.accept, g.reject) },
		},
		{
			"a test of what is in A, behind two others",
			func(g *graph) *block {
				third := g.is(src, 3, g.accept, g.reject)
				second := g.is(dst, 2, g.accept, third)
				return g.is(src, 0, g.reject, g.is(dst, 1, g.accept, second))
			},
			func(g *graph) *block {
				second := g.is(dst, 2, g.accept, g.reject)
				return g.is(src, 0, g.reject, g.is(src, 3, g.accept, g.is(dst, 1, g.accept, second)))
			},
		},
		{
			"what only shows after a test has moved",
			func(g *graph) *block {
				last := g.is(src, 3, g.accept, g.accept)
				return g.is(src, 0, g.accept, g.is(dst, 1, g.accept, last))
			},
			func(g *graph) *block { return g.accept },
		},
		{
			"a test that something else leads to stays",
			func(g *graph) *block {
				last := g.is(src, 3, g.accept, g.reject)
				row := g.is(src, 0, g.reject, g.is(dst, 1, g.accept, last))
				return g.is(small, 0, last, row)
			},
			func(g *graph) *block {
				last := g.is(src, 3, g.accept, g.reject)
				row := g.is(src, 0, g.reject, g.is(dst, 1, g.accept, last))
				return g.is(small, 0, last, row)
			},
		},
		{
			"a load of its own",
			func(g *graph) *block { return g.load(src, g.is(src, 2, g.accept, g.reject)) },
			func(g *graph) *block { return g.load(src, g.is(src, 2, g.accept, g.reject)) },
		},
	}
	for _, tt := range tests {
		got, _ := moveBranches(tt.build(newScatter()), &setTable{})
		if g, w := listing(got), listing(tt.want(newScatter())); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, g, w)
		}
	}
}

// TestTautologies compiles what holds for all packets in many words, of which
// some are lists that would be merged.
func TestTautologies(t *testing.T) {
	for _, expr := range []string{
		"tcp or not tcp", "not (ip and ip6)", "not dst port 15090 or not host 10.0.0.2 or ip",
		"not src host 10.0.0.1 or (src host 10.0.0.1 or 10.0.0.2 or 10.0.0.3 or 10.0.0.4 or 10.0.0.5)",
		"not ((tcp port 8080 and sctp src port 443 or -ip[2 : 2] & 8 >= 20 and arp))",
	} {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if len(p.Insns) != 1 {
			t.Errorf("%s: got\n%s", expr, p.Dump())
		}
	}
}
