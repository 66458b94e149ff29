package bpfc

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// TestListsAgainstTcpdump compares the verdicts of lists of operands with
// those of libpcap's programs, on packets that the lists were written for.
func TestListsAgainstTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, n := range []int{3, 5, 12, 40} {
		for name, expr := range sets(n) {
			optimized, err := tcpdump(expr, true)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := tcpdump(expr, false)
			if err != nil {
				t.Fatal(err)
			}
			p, err := CompileOptions(expr, Ethernet, Options{})
			if err != nil {
				t.Fatal(err)
			}
			tree, err := Parse(expr)
			if err != nil {
				t.Fatal(err)
			}
			for _, pkt := range operandPackets(tree) {
				compare(t, expr, pkt, p.Match(pkt, len(pkt)), optimized.Match(pkt, len(pkt)))
				for cut := 12; cut < len(pkt); cut++ {
					got := p.Match(pkt[:cut], len(pkt))
					if got != plain.Match(pkt[:cut], len(pkt)) &&
						got != optimized.Match(pkt[:cut], len(pkt)) {
						t.Fatalf("%d %s at %d: got %d: %.100s", n, name, cut, got, expr)
					}
				}
			}
			if got, want := len(p.Insns), len(optimized.Insns); got*10 > want*11 {
				t.Errorf("%d %s: %d instructions, tcpdump's %d", n, name, got, want)
			}
		}
	}
}

// randomList returns an expression with a list of operands of one kind, which
// is long enough to be merged as a rule.
func (s sentencer) randomList() string {
	kinds := []struct {
		head    string
		operand func() string
	}{
		{"host", s.host4}, {"src host", s.host4}, {"src and dst host", s.host4},
		{"net", s.net4}, {"dst net", s.net4}, {"ip src and dst net", s.net4},
		{"host", s.host6}, {"net", s.net6}, {"src or dst net", s.net6},
		{"port", s.number}, {"tcp dst port", s.number}, {"src and dst port", s.number},
		{"portrange", s.ports}, {"udp src portrange", s.ports},
		{"proto", s.proto}, {"ip proto", s.proto}, {"ether proto", s.etherProto},
		{"ether host", func() string {
			return s.pick("02:00:00:00:00:0", "2:0:0:0:0:", "ff:ff:ff:ff:ff:f") + s.pick("a", "b", "f")
		}},
	}
	kind := kinds[s.IntN(len(kinds))]
	words := make([]string, 4+s.IntN(12))
	for i := range words {
		words[i] = kind.operand()
	}
	switch s.IntN(4) {
	case 0:
		return "(" + kind.head + " " + strings.Join(words, " and not ") + ")"
	case 1:
		return "not (" + kind.head + " " + strings.Join(words, " or ") + ")"
	}
	return kind.head + " " + strings.Join(words, " or ")
}

// TestListsKeepVerdicts compares programs with merged lists with unoptimized
// ones on whole packets.
func TestListsKeepVerdicts(t *testing.T) {
	r := rand.New(rand.NewPCG(53, 54))
	s := sentencer{r}
	pkts, _ := corpus(r)
	for range amount(500) {
		expr := s.randomList()
		for s.IntN(3) == 0 {
			expr += s.pick(" and ", " or ", " or not ") + s.randomList()
		}
		p, err := CompileOptions(expr, Ethernet, Options{})
		if errors.Is(err, ErrNeverMatches) {
			p = &Program{}
		} else if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		plain := unoptimized(t, expr)
		for _, pkt := range pkts {
			if got, want := p.Match(pkt, len(pkt)), plain.Match(pkt, len(pkt)); got != want {
				t.Fatalf("%q on %x: got %d, want %d", expr, pkt, got, want)
			}
		}
	}
}

// TestAlike checks which terms a list can have.
func TestAlike(t *testing.T) {
	port, other := afterIPv4(14, 2), afterIPv4(16, 2)
	a, b := field(26, 4), field(30, 4)
	tests := []struct {
		name string
		f, g formula
		want bool
	}{
		{"numbers", equal(port, 1), equal(port, 2), true},
		{"a number and a range", equal(port, 1), inRange(port, 2, 3), true},
		{"masks", equal(a.masked(0xff000000), 1<<24), equal(a, 2), true},
		{"values", equal(port, 1), equal(other, 1), false},
		{"tuples of one form", all(equal(a, 1), equal(b, 1)), all(equal(a, 2), equal(b, 2)), true},
		{"tuples of two lengths", all(equal(a, 1), equal(b, 1)), equal(a, 1), true},
		{"alternatives", anyOf(equal(a, 1), equal(b, 1)), anyOf(equal(a, 2), equal(b, 2)), true},
		{"an alternative and a tuple", anyOf(equal(a, 1), equal(b, 1)), all(equal(a, 2), equal(b, 2)), false},
		{"all packets", always{}, always{}, true},
		{"all packets and some", always{}, equal(a, 1), false},
		{"bits", not{test{a, relAnyBit, 1}}, not{test{a, relAnyBit, 2}}, false},
	}
	for _, tt := range tests {
		if got := alike(tt.f, tt.g); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestMerge checks what becomes of lists by the number of tests.
func TestMerge(t *testing.T) {
	a, b := field(26, 4), field(30, 4)
	five := func(f func(k uint32) formula) (list []formula) {
		for k := range uint32(5) {
			list = append(list, f(3*k))
		}
		return list
	}
	tests := []struct {
		name string
		list []formula
		want int // tests, 0 if the list stays
	}{
		{"numbers", five(func(k uint32) formula { return equal(a, k) }), 5},
		{"equal terms", five(func(uint32) formula { return equal(a, 1) }), 1},
		{"neighbours", five(func(k uint32) formula { return equal(a, k/3+10) }), 2},
		{"alternatives", five(func(k uint32) formula { return anyOf(equal(a, k), equal(b, k)) }), 10},
		{"a common condition", five(func(k uint32) formula { return all(equal(a, 1), equal(b, k)) }), 6},
		{"pairs", five(func(k uint32) formula { return all(equal(a, k), equal(b, 7)) }), 6},
		{"no number", five(func(k uint32) formula { return equal(a.masked(0xff), 256+k) }), 0},
		{"conditions that differ", five(func(k uint32) formula {
			return all(equal(a, k), anyOf(equal(b, k), equal(b.masked(0xf), 1)))
		}), 0},
	}
	for _, tt := range tests {
		sets := &setTable{}
		merged := (&lister{sets: sets}).merge(tt.list)
		got := 0
		if merged != nil {
			g := newGraph()
			merged.blocks(g, g.accept, g.reject)
			got = g.blocks
		}
		if got != tt.want {
			t.Errorf("%s: got %d tests, want %d", tt.name, got, tt.want)
		}
	}
}

// TestMergeInOrder checks which operands of a list are looked at first: with
// the first one those that libpcap's optimizer brings together with it.
func TestMergeInOrder(t *testing.T) {
	l, _ := Ethernet.layer(false)
	over := []uint32{protoTCP, protoUDP}
	list := func(operand func(k uint32) formula) (list []formula) {
		for k := range uint32(12) {
			list = append(list, operand(k))
		}
		return list
	}
	half := func(k uint32) uint32 { return mask32(24 - 8*int(k%2)) }
	tests := []struct {
		name string
		list []formula
		want int // formulas that are left
	}{
		{"hosts", list(func(k uint32) formula { return l.net4("", 10<<24|k, allOnes, dirEither) }), 1},
		{"sources", list(func(k uint32) formula { return l.net4("ip", 10<<24|k, allOnes, dirSrc) }), 1},
		{"networks of two sizes", list(func(k uint32) formula { return l.net4("", k<<16, half(k), dirEither) }), 2},
		{"ports", list(func(k uint32) formula { return l.ports(over, one(k), dirEither) }), 1},
		{"source ports", list(func(k uint32) formula { return l.ports(over, one(k), dirSrc) }), 1},
		{"ranges", list(func(k uint32) formula {
			return l.ports(over, numbers{interval: interval{10 * k, 10*k + 5}}, dirEither)
		}), 2},
		{"IPv6 hosts", list(func(k uint32) formula {
			return l.net6([4]uint32{0xfd << 24, 0, 0, k}, [4]uint32{allOnes, allOnes, allOnes, allOnes}, dirEither)
		}), 2},
		{"Ethernet addresses", list(func(k uint32) formula { return l.ether([6]byte{2, 0, 0, 0, 0, byte(k)}, dirEither) }), 2},
	}
	for _, tt := range tests {
		lister := &lister{sets: &setTable{}}
		if got := lister.mergeInOrder(tt.list); len(got) != tt.want {
			t.Errorf("%s: %d formulas are left, want %d", tt.name, len(got), tt.want)
		}
	}
}
