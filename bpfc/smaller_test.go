package bpfc

import "testing"

// TestSmaller gives small programs, as code, to passes that make them smaller or
// faster, and compares what becomes of them.
func TestSmaller(t *testing.T) {
	word, prefix := field(26, 4), field(26, 4).masked(0xff000000)
	proto, offset := field(23, 1), field(20, 2)
	both := field(20, 4).masked(protocolAndOffset)
	fragment := func(g *graph, first *block) *block {
		return g.branch(test{offset, relAnyBit, fragmentOffset}, g.reject, first)
	}
	threaded := func(_ *graph, root *block) *block { return threadAll(root, &setTable{}) }
	tests := []struct {
		name        string
		pass        func(g *graph, root *block) *block
		build, want func(g *graph) *block
	}{
		{
			"a load that a later one makes up for", dropLoads,
			func(g *graph) *block { return g.load(small, g.is(word, 1, g.accept, g.reject)) },
			func(g *graph) *block { return g.is(word, 1, g.accept, g.reject) },
		},
		{
			"a load that matters on one way", dropLoads,
			func(g *graph) *block {
				return g.load(word, g.is(small, 1, g.is(word, 2, g.accept, g.reject), g.accept))
			},
			func(g *graph) *block {
				return g.load(word, g.is(small, 1, g.is(word, 2, g.accept, g.reject), g.accept))
			},
		},
		{
			"a prefix with most numbers above it", unmask,
			func(g *graph) *block { return g.is(prefix, 0x0a000000, g.accept, g.reject) },
			func(g *graph) *block {
				low := g.branch(test{word, relGreaterEqual, 0x0a000000}, g.accept, g.reject)
				return g.branch(test{word, relGreater, 0x0affffff}, g.reject, low)
			},
		},
		{
			"a prefix with most numbers below it", unmask,
			func(g *graph) *block { return g.is(prefix, 0xe0000000, g.accept, g.reject) },
			func(g *graph) *block {
				high := g.branch(test{word, relGreater, 0xe0ffffff}, g.reject, g.accept)
				return g.branch(test{word, relGreaterEqual, 0xe0000000}, high, g.reject)
			},
		},
		{
			"the lowest prefix", unmask,
			func(g *graph) *block { return g.is(prefix, 0, g.accept, g.reject) },
			func(g *graph) *block {
				return g.branch(test{word, relGreater, 0x00ffffff}, g.reject, g.accept)
			},
		},
		{
			"two prefixes of one length stay", unmask,
			func(g *graph) *block {
				return g.is(prefix, 0x0a000000, g.accept, g.is(prefix, 0x0b000000, g.accept, g.reject))
			},
			func(g *graph) *block {
				return g.is(prefix, 0x0a000000, g.accept, g.is(prefix, 0x0b000000, g.accept, g.reject))
			},
		},
		{
			"protocols and the fragment's offset", joinFragments,
			func(g *graph) *block {
				first := fragment(g, g.accept)
				return g.is(proto, protoTCP, first, g.is(proto, protoUDP, first, g.reject))
			},
			func(g *graph) *block {
				return g.is(both, protoTCP, g.accept, g.is(both, protoUDP, g.accept, g.reject))
			},
		},
		{
			"other protocols go elsewhere than fragments", joinFragments,
			func(g *graph) *block {
				first := fragment(g, g.accept)
				return g.is(proto, protoTCP, first, g.is(proto, protoUDP, first, g.accept))
			},
			func(g *graph) *block {
				first := fragment(g, g.accept)
				return g.is(proto, protoTCP, first, g.is(proto, protoUDP, first, g.accept))
			},
		},
		{
			"a test whose results lead to the same place", threaded,
			func(g *graph) *block {
				last := g.is(small, 3, g.reject, g.accept)
				return g.is(small, 1, g.accept, g.is(small, 2, g.accept, last))
			},
			func(g *graph) *block { return g.is(small, 3, g.reject, g.accept) },
		},
	}
	for _, tt := range tests {
		from, to := newGraph(), newGraph()
		got, want := listing(tt.pass(newGraph(), tt.build(from))), listing(tt.want(to))
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

// TestHoist compares a program of two ways that set X and meet, laid out with
// and without hoisting, on packets that take all ways.
func TestHoist(t *testing.T) {
	o := asTcpdump
	o.Live = true
	c, err := newCompilation("ether proto 0x88cc or (vlan and port 44491)", Ethernet, o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.optimize()
	if err != nil {
		t.Fatal(err)
	}
	_, root := c.best(v, fastLeaf)
	sectionsOf := func() entry {
		first, _ := expand(root, &c.sets, fastLeaf)
		return sections(first, 100, true)
	}
	without := &Program{Insns: layout(sectionsOf())}
	with := &Program{Insns: layout(hoist(sectionsOf()))}
	if len(with.Insns) >= len(without.Insns) {
		t.Errorf("got\n%s\nno shorter than\n%s", with.Dump(), without.Dump())
	}
	frames := [][]byte{
		ethernet(0x88cc, make([]byte, 60)), tcp4(a4, b4, 44491, 1), udp4(a4, b4, 1, 44491), tcp6(a6, b6, 1, 44491),
		tagged(tcp4(a4, b4, 44491, 1), etherVLAN, 5), tagged(tcp6(a6, b6, 2, 44491), etherQinQ, 5), tcp4(a4, b4, 1, 2),
	}
	for _, f := range frames {
		for _, present := range []uint32{0, 1} {
			beside := map[uint32]uint32{ancillaryVLANPresent: present}
			if got, want := userlandWith(with, f, beside), userlandWith(without, f, beside); got != want {
				t.Errorf("%x, tag beside: %d: got %d, want %d", f, present, got, want)
			}
		}
	}
}

// TestTunnelsOnce checks that text behind a tunnel is compiled for packets that
// can come there only.
func TestTunnelsOnce(t *testing.T) {
	for tunnel, without := range map[string]string{
		"geneve or tcp": "tcp", "not vxlan 7 and port 80": "port 80", "geneve 5 or net 10.0.0.0/8": "net 10.0.0.0/8",
	} {
		p, err := CompileOptions(tunnel, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		q, err := CompileOptions(without, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if most := len(q.Insns) + 36; len(p.Insns) > most {
			t.Errorf("%s: got %d instructions, want at most %d\n%s", tunnel, len(p.Insns), most, p.Dump())
		}
	}
}
