package bpfc

import "testing"

// TestFold folds small programs, given as code and what becomes of it.
func TestFold(t *testing.T) {
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
			"another number",
			func(g *graph) *block {
				return g.is(small, 1, g.is(small, 2, g.accept, g.reject), g.reject)
			},
			func(g *graph) *block { return g.reject },
		},
		{
			"a test that does not matter, with its load",
			func(g *graph) *block {
				last := g.is(other, 2, g.accept, g.reject)
				return g.is(small, 1, last, g.is(small, 1, g.accept, last))
			},
			func(g *graph) *block { return g.is(other, 2, g.accept, g.reject) },
		},
		{
			"a load of its own",
			func(g *graph) *block { return g.load(small, g.is(other, 2, g.accept, g.reject)) },
			func(g *graph) *block { return g.load(small, g.is(other, 2, g.accept, g.reject)) },
		},
		{
			"a division that can fail",
			func(g *graph) *block {
				return g.is(calculation(aluDiv, small), 1, g.accept, g.accept)
			},
			func(g *graph) *block { return g.accept },
		},
		{
			"a load is no outcome",
			func(g *graph) *block { return g.load(small, g.is(small, 0, g.accept, g.reject)) },
			func(g *graph) *block { return g.load(small, g.is(small, 0, g.accept, g.reject)) },
		},
		{
			"an outcome that one way does not have",
			func(g *graph) *block {
				last := g.is(other, 2, g.accept, g.reject)
				return g.is(small, 1, last, g.is(other, 2, last, g.reject))
			},
			func(g *graph) *block {
				last := g.is(other, 2, g.accept, g.reject)
				return g.is(small, 1, last, g.is(other, 2, g.accept, g.reject))
			},
		},
	}
	for _, tt := range tests {
		got := foldAll(tt.build(newScatter()))
		if g, w := listing(got), listing(tt.want(newScatter())); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, g, w)
		}
	}
}

// TestOutcomesMeet checks what is known where two ways come together.
func TestOutcomesMeet(t *testing.T) {
	var none *outcome
	one := none.with(&block{test: test{small, relEqual, 1}}, true)
	left := one.with(&block{test: test{small, relEqual, 2}}, false).with(&block{test: test{small, relEqual, 3}}, false)
	right := one.with(&block{test: test{small, relEqual, 2}}, false)
	if got := left.meet(right); got != one {
		t.Errorf("got %v, want what both have from the same place", got)
	}
	if got := left.meet(none); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
	if got := left.meet(left); got != left {
		t.Errorf("got %v, want all", got)
	}
}

func TestPullUp(t *testing.T) {
	g := newGraph()
	src, dst := field(26, 4), field(30, 4)
	// src == 1 and dst == 2 or dst == 1 and src == 2
	b := g.is(src, 1, g.is(dst, 2, g.accept, g.reject),
		g.is(dst, 1, g.is(src, 2, g.accept, g.reject), g.reject))
	h := newGraph()
	want := h.is(src, 1, h.is(dst, 2, h.accept, h.reject),
		h.is(src, 2, h.is(dst, 1, h.accept, h.reject), h.reject))
	if got, want := listing(pullUp(newGraph(), b)), listing(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Different results lead on: nothing is swapped.
	b = g.is(src, 1, g.is(dst, 2, g.accept, g.reject),
		g.is(dst, 1, g.is(src, 2, g.reject, g.accept), g.reject))
	if got, want := listing(pullUp(newGraph(), b)), listing(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOrderByLikelihood(t *testing.T) {
	g := newGraph()
	protocol := field(12, 2)
	other := g.is(protocol, 0x42, g.accept, g.reject)
	row := g.is(protocol, etherARP, g.reject, g.is(protocol, etherIPv4, g.accept, other))
	h := newGraph()
	want := h.is(protocol, etherIPv4, h.accept,
		h.is(protocol, etherARP, h.reject, h.is(protocol, 0x42, h.accept, h.reject)))
	got := orderByLikelihood(newGraph(), row)
	if g, w := listing(got), listing(want); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// TestOrderKeepsSharedRows keeps a row that something else leads into.
func TestOrderKeepsSharedRows(t *testing.T) {
	g := newGraph()
	protocol := field(12, 2)
	second := g.is(protocol, etherIPv4, g.accept, g.reject)
	b := g.is(small, 1, g.is(protocol, etherARP, g.reject, second), second)
	if got, want := listing(orderByLikelihood(newGraph(), b)), listing(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
