package bpfc

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// asks returns the first block of a row that accepts if v is one of n numbers
// from first on.
func (g *graph) asks(v value, first, n uint32, next *block) *block {
	for k := first + n; k > first; k-- {
		next = g.is(v, k-1, g.accept, next)
	}
	return next
}

// header4 is the length of the IPv4 header of an Ethernet frame.
var header4 = newCalcs().header(14)

// afterIPv4 returns the value of size bytes behind an IPv4 header, off bytes
// from where it would end if it had no bytes.
func afterIPv4(off uint32, size uint8) value { return place{base: header4}.field(off, size) }

// calculation returns the value v op v.
func calculation(op operation, v value) value {
	c := newCalcs()
	return c.calculate(op, c.value(v), c.value(v)).value()
}

// TestTwins checks what is shared, by the sizes of programs.
func TestTwins(t *testing.T) {
	const n = 20
	src4, dst4 := field(26, 4), field(30, 4)
	srcARP, dstARP := field(28, 4), field(38, 4)
	port4, port6 := afterIPv4(14, 2), field(54, 2)
	both := func(g *graph, a, b value) *block {
		return g.asks(a, 10, n, g.asks(b, 10, n, g.reject))
	}
	tests := []struct {
		name  string
		build func(g *graph) *block
		share bool
	}{
		{"one distance", func(g *graph) *block {
			return g.is(small, 1, both(g, port4, afterIPv4(16, 2)), both(g, port6, field(56, 2)))
		}, true},
		{"two distances", func(g *graph) *block {
			return g.is(small, 1, both(g, src4, dst4), both(g, srcARP, dstARP))
		}, true},
		{"too small", func(g *graph) *block {
			return g.is(small, 1, g.asks(port4, 1, 3, g.asks(small, 9, 1, g.reject)),
				g.asks(port6, 1, 3, g.asks(field(1, 1), 9, 1, g.reject)))
		}, false},
		{"three distances", func(g *graph) *block {
			return g.is(small, 1, g.asks(field(60, 4), 1, n, both(g, src4, dst4)),
				g.asks(field(90, 4), 1, n, both(g, srcARP, dstARP)))
		}, false},
		{"other sizes", func(g *graph) *block {
			return g.is(small, 1, both(g, src4, dst4), both(g, field(28, 2), field(38, 2)))
		}, false},
		{"the first value again", func(g *graph) *block {
			return g.is(small, 1, g.asks(src4, 1, n, g.asks(dst4, 1, n, g.asks(src4, 40, n, g.reject))),
				g.asks(srcARP, 1, n, g.asks(dstARP, 1, n, g.asks(srcARP, 40, n, g.reject))))
		}, false},
		{"X is not needed at first", func(g *graph) *block {
			return g.is(small, 1, g.asks(packetLength, 30, n, both(g, port4, afterIPv4(16, 2))),
				g.asks(packetLength, 30, n, both(g, port6, field(56, 2))))
		}, false},
		{"a calculation on the way", func(g *graph) *block {
			sum := calculation(aluAdd, small)
			return g.is(small, 1, g.asks(port4, 10, n, g.asks(sum, 10, n, g.reject)),
				g.asks(port6, 10, n, g.asks(sum, 10, n, g.reject)))
		}, false},
		{"a calculation afterwards", func(g *graph) *block {
			end := g.is(calculation(aluAdd, src4), 7, g.accept, g.reject)
			return g.is(small, 1, g.asks(src4, 10, n, g.asks(dst4, 10, n, end)),
				g.asks(srcARP, 10, n, g.asks(dstARP, 10, n, end)))
		}, false},
		{"the IPv4 header is needed afterwards", func(g *graph) *block {
			end := g.is(afterIPv4(30, 2), 7, g.accept, g.reject)
			return g.is(small, 1,
				g.asks(port4, 10, n, g.asks(afterIPv4(16, 2), 10, n, end)),
				g.asks(port6, 10, n, g.asks(field(56, 2), 10, n, end)))
		}, false},
	}
	r := rand.New(rand.NewPCG(41, 42))
	for _, tt := range tests {
		g := newGraph()
		plain := tt.build(g)
		shared := shareTwins(plain, &setTable{}, false)
		if got := shared != plain; got != tt.share {
			t.Errorf("%s: shared is %v", tt.name, got)
		}
		before := &Program{Insns: layout(sections(plain, 100, true))}
		after := &Program{Insns: layout(sections(shared, 100, true))}
		if err := validate(after.Insns); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if tt.share && len(after.Insns) > len(before.Insns)*2/3+6 {
			t.Errorf("%s: %d of %d instructions are left", tt.name, len(after.Insns), len(before.Insns))
		}
		for range 3000 {
			pkt := make([]byte, r.IntN(100))
			for i := range pkt {
				pkt[i] = byte(r.IntN(3) / 2 * r.IntN(40))
			}
			if got, want := after.Match(pkt, 100), before.Match(pkt, 100); got != want {
				t.Fatalf("%s: %x: got %d, want %d\n%s", tt.name, pkt, got, want, after.Dump())
			}
		}
	}
}

// TestTwinsOfLists checks that large lists of addresses and of ports have two
// trees, one for the source and one for the destination.
func TestTwinsOfLists(t *testing.T) {
	for _, name := range []string{"port", "host", "net"} {
		p, err := CompileOptions(sets(250)[name], Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Insns) > 2*(250+250/fastLeaf+1)+60 {
			t.Errorf("250 %s: %d instructions", name, len(p.Insns))
		}
		if !strings.Contains(p.Dump(), "ldx      #") {
			t.Errorf("250 %s: X is not set", name)
		}
	}
}
