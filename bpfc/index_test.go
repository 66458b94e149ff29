package bpfc

import (
	"math/rand/v2"
	"testing"
)

// TestIndex checks that parts with headers in several places become one, and
// that their verdicts stay.
func TestIndex(t *testing.T) {
	c := newCalcs()
	header := func(at uint32) layer {
		return layer{calcs: c, typ: field(12+at, 2), payload: place{off: 14 + at}}
	}
	behind := func(off uint32) layer {
		base := c.calculate(aluAdd, c.value(field(off, 1)), c.constant(off))
		l := layer{calcs: c, payload: place{base: base, off: 14}}
		l.typ = place{base: base}.field(12, 2)
		return l
	}
	ports := func(g *graph, l layer) *block {
		return l.ports([]uint32{protoTCP, protoUDP}, numbers{interval: interval{5, 6}}, dirEither).blocks(g, g.accept, g.reject)
	}
	tests := []struct {
		name  string
		build func(g *graph) *block
		share bool
	}{
		{"a tag", func(g *graph) *block {
			return g.is(small, 1, ports(g, header(0)), ports(g, header(4)))
		}, true},
		{"places that are calculated", func(g *graph) *block {
			return g.is(small, 1, ports(g, behind(1)), ports(g, behind(2)))
		}, true},
		{"two entries", func(g *graph) *block {
			here, there := ports(g, header(0)), ports(g, header(4))
			return g.is(small, 1, g.is(field(1, 1), 3, here, here.no),
				g.is(field(1, 1), 4, there, there.no))
		}, true},
		{"what follows needs the header", func(g *graph) *block {
			end := g.is(afterIPv4(20, 2), 7, g.accept, g.reject)
			part := func(l layer) *block {
				f := l.ports([]uint32{protoTCP}, numbers{interval: interval{5, 6}}, dirEither)
				return f.blocks(g, g.accept, end)
			}
			return g.is(small, 1, part(header(0)), part(header(4)))
		}, true},
		{"other distances", func(g *graph) *block {
			l := header(4)
			l.typ = field(2, 2)
			return g.is(small, 1, ports(g, header(0)), ports(g, l))
		}, false},
	}
	r := rand.New(rand.NewPCG(43, 44))
	for _, tt := range tests {
		g := newGraph()
		plain := tt.build(g)
		shared := shareTwins(plain, &setTable{}, true)
		before := &Program{Insns: layout(sections(plain, 100, true))}
		after := &Program{Insns: layout(sections(shared, 100, true))}
		if err := validate(after.Insns); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if small := len(after.Insns) < len(before.Insns)*4/5; small != tt.share {
			t.Errorf("%s: %d of %d instructions are left\n%s", tt.name, len(after.Insns), len(before.Insns), after.Dump())
		}
		matched := 0
		for range 60000 {
			pkt := make([]byte, r.IntN(100))
			for i := range pkt {
				pkt[i] = []byte{0, 0, 0, 1, 2, 5, 6, 6, 17, 8, 0x45, 3, 4}[r.IntN(13)]
			}
			for _, at := range []int{12, 16} {
				if len(pkt) > at+2 {
					copy(pkt[at:], [][]byte{{8, 0}, {0x86, 0xdd}, {0, 1}}[r.IntN(3)])
				}
			}
			got, want := after.Match(pkt, 100), before.Match(pkt, 100)
			if got != want {
				t.Fatalf("%s: %x: got %d, want %d\n%s", tt.name, pkt, got, want, after.Dump())
			}
			matched += min(got, 1)
		}
		if matched < 10 {
			t.Errorf("%s: only %d packets match", tt.name, matched)
		}
	}
}

// TestIndexesOfTags compiles expressions behind tags, and compares the
// programs for live packets with unoptimized ones.
func TestIndexesOfTags(t *testing.T) {
	r := rand.New(rand.NewPCG(45, 46))
	s := linguist{sentencer{r}, Ethernet}
	whole, _ := packetsOf(Ethernet, r)
	o := asTcpdump
	o.Live = true
	indexed := 0
	for range 150 {
		expr := s.pick("vlan and ", "vlan 5 and ", "tcp or vlan and ", "vlan and vlan and ") + "(" + s.sentence(1) + ")"
		p, err := CompileOptions(expr, Ethernet, o)
		if err != nil {
			continue
		}
		for _, ins := range p.Insns {
			if ins.Op == opStoreX {
				indexed++
				break
			}
		}
		plain := unoptimizedOf(t, expr, Ethernet, o)
		for _, frame := range whole {
			for _, l := range []asLive{stripped(frame), {frame, map[uint32]uint32{}}} {
				got, want := userlandWith(p, l.pkt, l.ancillary), userlandWith(plain, l.pkt, l.ancillary)
				if got != want {
					t.Fatalf("%q on %x, %v: got %d, want %d\n%s", expr, l.pkt, l.ancillary, got, want, p.Dump())
				}
			}
		}
	}
	if indexed < 8 {
		t.Errorf("only %d programs have an index in memory", indexed)
	}
}
