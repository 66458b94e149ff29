package bpfc

import "testing"

// is returns the block that tests v == k.
func (g *graph) is(v value, k uint32, yes, no *block) *block {
	return g.branch(test{v, relEqual, k}, yes, no)
}

func TestGraphSharesBlocks(t *testing.T) {
	g := newGraph()
	a := g.is(small, 1, g.accept, g.reject)
	if b := g.is(small, 1, g.accept, g.reject); a != b {
		t.Error("equal blocks are made twice")
	}
	if b := g.is(small, 2, g.accept, g.reject); a == b {
		t.Error("different blocks are the same")
	}
}

// TestBranchWithoutChoice checks which tests that do not matter are left out.
func TestBranchWithoutChoice(t *testing.T) {
	g := newGraph()
	if b := g.is(small, 1, g.reject, g.reject); b != g.reject {
		t.Error("a test before rejection is kept")
	}
	if b := g.is(packetLength, 1, g.accept, g.accept); b != g.accept {
		t.Error("a test of the length is kept")
	}
	b := g.is(small, 1, g.accept, g.accept)
	if b == g.accept {
		t.Error("a load that can fail is left out")
	}
	if c := g.is(small, 2, g.accept, g.accept); b != c {
		t.Error("what is compared matters though the result does not")
	}
	if c := g.is(small, 256, g.reject, g.accept); b != c {
		t.Error("a byte is compared with 256")
	}
	if c := g.branch(test{small, relGreaterEqual, 0}, g.accept, g.reject); b != c {
		t.Error("a byte is compared with 0")
	}
	if c := g.branch(test{small, relAnyBit, 0x100}, g.reject, g.accept); b != c {
		t.Error("bits outside of a byte are tested")
	}
	if c := g.is(field(0, 4).masked(0xff00), 1, g.accept, g.reject); c != g.reject {
		t.Error("a masked bit is compared")
	}
}

// TestFacts learns one test and decides another.
func TestFacts(t *testing.T) {
	word, prefix, odd := field(0, 4), field(0, 4).masked(0xff000000), field(0, 4).masked(0xff00ff00)
	tests := []struct {
		name       string
		learn      test
		result     bool
		decide     test
		want, know bool
	}{
		{"same", test{small, relEqual, 5}, true, test{small, relEqual, 5}, true, true},
		{"other number", test{small, relEqual, 5}, true, test{small, relEqual, 6}, false, true},
		{"excluded", test{small, relEqual, 5}, false, test{small, relEqual, 5}, false, true},
		{"open", test{small, relEqual, 5}, false, test{small, relEqual, 6}, false, false},
		{"greater", test{small, relEqual, 5}, true, test{small, relGreater, 4}, true, true},
		{"not greater", test{small, relGreater, 5}, false, test{small, relGreaterEqual, 6}, false, true},
		{"in range", test{small, relGreater, 5}, true, test{small, relGreater, 7}, false, false},
		{"bits of a number", test{small, relEqual, 6}, true, test{small, relAnyBit, 2}, true, true},
		{"same bits", test{small, relAnyBit, 3}, true, test{small, relAnyBit, 3}, true, true},
		{"same bits unset", test{small, relAnyBit, 3}, false, test{small, relAnyBit, 3}, false, true},
		{"other bits", test{small, relAnyBit, 3}, true, test{small, relAnyBit, 1}, false, false},
		{"other value", test{small, relEqual, 5}, true, test{word, relEqual, 5}, false, false},
		{"prefix of a number", test{word, relEqual, 0x0a000001}, true, test{prefix, relEqual, 0x0a000000}, true, true},
		{"prefix of another", test{word, relEqual, 0x0b000001}, true, test{prefix, relEqual, 0x0a000000}, false, true},
		{"number of a prefix", test{prefix, relEqual, 0x0a000000}, true, test{word, relEqual, 0x0b000001}, false, true},
		{"number in a prefix", test{prefix, relEqual, 0x0a000000}, true, test{word, relEqual, 0x0a000001}, false, false},
		{"odd mask of a number", test{word, relEqual, 0x0a0b0c0d}, true, test{odd, relEqual, 0x0a000c00}, true, true},
		{"odd mask of a range", test{word, relGreater, 5}, true, test{odd, relEqual, 0}, false, false},
	}
	g := newGraph()
	for _, tt := range tests {
		order := inOrder(g.branch(tt.learn, g.branch(tt.decide, g.accept, g.reject), g.reject))
		f := numberValues(append(order, &block{test: tt.decide, yes: g.accept}), &setTable{}).nothing()
		if _, known := f.decide(tt.decide); known {
			t.Errorf("%s: known from nothing", tt.name)
		}
		got, known := f.learn(tt.learn, tt.result).decide(tt.decide)
		if got != tt.want || known != tt.know {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, got, known, tt.want, tt.know)
		}
	}
}

// TestFactsMeet checks what is known where two ways come together.
func TestFactsMeet(t *testing.T) {
	g := newGraph()
	other := field(1, 1)
	order := inOrder(g.is(small, 1, g.is(other, 2, g.accept, g.reject), g.reject))
	nothing := numberValues(order, &setTable{}).nothing()
	one := nothing.learn(test{small, relEqual, 1}, true)
	three := nothing.learn(test{small, relEqual, 3}, true).learn(test{other, relEqual, 9}, true)
	both := one.meet(three)
	for k, want := range map[uint32]bool{0: true, 1: false, 2: true, 3: false, 4: true} {
		if _, known := both.decide(test{small, relEqual, k}); known != want {
			t.Errorf("%d: known is %v, want %v", k, known, want)
		}
	}
	if _, known := both.decide(test{other, relEqual, 9}); known {
		t.Error("what only one way has loaded is known")
	}
	if want := (extent{start: 1}); both.proven != want {
		t.Errorf("got %v, want %v", both.proven, want)
	}
}

// TestThread threads small programs, given as code and what becomes of it.
func TestThread(t *testing.T) {
	other := field(4, 1)
	tests := []struct {
		name        string
		build, want func(g *graph) *block
	}{
		{
			"a repeated test",
			func(g *graph) *block {
				return g.is(small, 1, g.is(small, 1, g.accept, g.reject), g.reject)
			},
			func(g *graph) *block { return g.is(small, 1, g.accept, g.reject) },
		},
		{
			"a test that others exclude",
			func(g *graph) *block {
				return g.is(small, 1, g.is(small, 2, g.accept, g.reject), g.reject)
			},
			func(g *graph) *block { return g.reject },
		},
		{
			"known only after both ways joined",
			func(g *graph) *block {
				last := g.is(small, 3, g.reject, g.is(other, 1, g.accept, g.reject))
				return g.is(small, 1, last, g.is(small, 2, last, g.reject))
			},
			func(g *graph) *block {
				last := g.is(other, 1, g.accept, g.reject)
				return g.is(small, 1, last, g.is(small, 2, last, g.reject))
			},
		},
		{
			"a load that a longer one proves",
			func(g *graph) *block {
				load := g.is(small, 1, g.accept, g.accept)
				return g.is(other, 1, load, g.reject)
			},
			func(g *graph) *block { return g.is(other, 1, g.accept, g.reject) },
		},
		{
			"a load that nothing proves",
			func(g *graph) *block {
				load := g.is(other, 1, g.accept, g.accept)
				return g.is(small, 1, load, g.reject)
			},
			func(g *graph) *block {
				load := g.is(other, 1, g.accept, g.accept)
				return g.is(small, 1, load, g.reject)
			},
		},
	}
	for _, tt := range tests {
		got := threadAll(tt.build(newGraph()), &setTable{})
		want := tt.want(newGraph())
		if g, w := listing(got), listing(want); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, g, w)
		}
	}
}

// listing returns the program of a block as text.
func listing(b *block) string {
	return (&Program{Insns: layout(sections(b, 100, true))}).Dump()
}
