package bpfc

import (
	"fmt"
	"testing"
)

// TestLoadsAreShared lists programs in which registers keep their values.
func TestLoadsAreShared(t *testing.T) {
	l, _ := Ethernet.layer(false)
	word, a, b := field(26, 4), l.afterIPv4(0, 2), l.afterIPv4(2, 2)
	tests := []struct {
		name  string
		build func(g *graph) *block
		want  string
	}{
		{
			"a value that is in A",
			func(g *graph) *block { return g.is(small, 1, g.accept, g.is(small, 2, g.accept, g.reject)) },
			"(000) ldb      [0]\n" +
				"(001) jeq      #0x1             jt 3\tjf 2\n" +
				"(002) jeq      #0x2             jt 3\tjf 4\n" +
				"(003) ret      #100\n" +
				"(004) ret      #0\n",
		},
		{
			"a mask on what is in A",
			func(g *graph) *block {
				return g.is(word, 1, g.accept, g.is(word.masked(0xff), 2, g.accept, g.reject))
			},
			"(000) ld       [26]\n" +
				"(001) jeq      #0x1             jt 4\tjf 2\n" +
				"(002) and      #0xff\n" +
				"(003) jeq      #0x2             jt 4\tjf 5\n" +
				"(004) ret      #100\n" +
				"(005) ret      #0\n",
		},
		{
			"X keeps the length of the header",
			func(g *graph) *block { return g.is(a, 1, g.accept, g.is(b, 1, g.accept, g.reject)) },
			"(000) ldxb     4*([14]&0xf)\n" +
				"(001) ldh      [x + 14]\n" +
				"(002) jeq      #0x1             jt 5\tjf 3\n" +
				"(003) ldh      [x + 16]\n" +
				"(004) jeq      #0x1             jt 5\tjf 6\n" +
				"(005) ret      #100\n" +
				"(006) ret      #0\n",
		},
		{
			"an edge that enters behind the load",
			func(g *graph) *block {
				last := g.is(small, 2, g.accept, g.reject)
				return g.is(small, 1, last, g.is(word, 1, last, g.reject))
			},
			"(000) ldb      [0]\n" +
				"(001) jeq      #0x1             jt 5\tjf 2\n" +
				"(002) ld       [26]\n" +
				"(003) jeq      #0x1             jt 4\tjf 7\n" +
				"(004) ldb      [0]\n" +
				"(005) jeq      #0x2             jt 6\tjf 7\n" +
				"(006) ret      #100\n" +
				"(007) ret      #0\n",
		},
		{
			"one test for two values",
			func(g *graph) *block {
				x := g.is(field(2, 1), 7, g.accept, g.is(field(2, 1), 8, g.accept, g.reject))
				y := g.is(field(1, 1), 7, g.accept, g.is(field(1, 1), 8, g.accept, g.reject))
				return g.is(small, 1, x, y)
			},
			"(000) ldb      [0]\n" +
				"(001) jeq      #0x1             jt 2\tjf 4\n" +
				"(002) ldb      [2]\n" +
				"(003) jeq      #0x7             jt 7\tjf 6\n" +
				"(004) ldb      [1]\n" +
				"(005) jeq      #0x7             jt 7\tjf 6\n" +
				"(006) jeq      #0x8             jt 7\tjf 8\n" +
				"(007) ret      #100\n" +
				"(008) ret      #0\n",
		},
	}
	for _, tt := range tests {
		if got := listing(tt.build(newGraph())); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

// TestLongJumps lays out chains of growing length, so that every distance
// around the limit of jumps occurs, and runs them.
func TestLongJumps(t *testing.T) {
	// A chain whose first test jumps over all others to a far test.
	build := func(g *graph, n int) *block {
		far := g.is(field(1, 1), 9, g.accept, g.reject)
		b := far
		for i := n; i > 0; i-- {
			b = g.is(field(2, 2), uint32(i), far, b)
		}
		return g.is(small, 1, far, b)
	}
	for n := 100; n <= 400; n++ {
		p := &Program{Insns: layout(sections(build(newGraph(), n), 100, true))}
		if err := validate(p.Insns); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		for _, tt := range []struct {
			pkt  []byte
			want int
		}{
			{[]byte{1, 9}, 2}, {[]byte{1, 8}, 0}, {[]byte{0, 9}, 0},
			{[]byte{0, 9, 0, 1}, 4}, {[]byte{0, 9, byte(n >> 8), byte(n)}, 4},
			{[]byte{0, 8, 0, 5}, 0}, {[]byte{0, 9, 99, 99}, 4},
		} {
			if got := p.Match(tt.pkt, len(tt.pkt)); got != tt.want {
				t.Fatalf("%d: %v: got %d, want %d", n, tt.pkt, got, tt.want)
			}
		}
	}
}

// TestReturnsAreCopied checks that a far return is copied rather than jumped
// to.
func TestReturnsAreCopied(t *testing.T) {
	g := newGraph()
	b := g.reject
	for i := 600; i > 0; i-- {
		b = g.is(small, uint32(i%250), g.accept, b)
		b = g.is(field(uint32(i), 1), 3, g.accept, b)
	}
	returns, jumps := 0, 0
	for _, ins := range layout(sections(b, 100, true)) {
		switch ins.Op {
		case opReturnK:
			returns++
		case opJump:
			jumps++
		}
	}
	if jumps != 0 || returns < 8 || returns > 16 {
		t.Errorf("%d jumps and %d returns", jumps, returns)
	}
}

func TestSectionIDsAreUnique(t *testing.T) {
	c, err := newCompilation("host 10.0.0.1 or port 80 or net fd00::/8", Ethernet, Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	v, err := c.optimize()
	if err != nil {
		t.Fatal(err)
	}
	first, _ := expand(v.fast[0], &c.sets, fastLeaf)
	for _, s := range sections(first, 100, true).s.inOrder() {
		if seen[s.id] {
			t.Errorf("%d occurs twice", s.id)
		}
		seen[s.id] = true
		if !s.returns() && (s.yes.rest > len(s.yes.s.loads) || s.no.rest > len(s.no.s.loads)) {
			t.Error(fmt.Sprint("section ", s.id, " goes to a load that is not there"))
		}
	}
}
