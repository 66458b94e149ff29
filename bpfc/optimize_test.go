package bpfc

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestOptimizerKeepsVerdicts compares optimized programs with unoptimized
// ones on whole packets. On truncated ones the two can differ as those of
// libpcap do, see fold and gatherSets; TestAgainstTcpdump judges these.
func TestOptimizerKeepsVerdicts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := sentencer{r}
	pkts, _ := corpus(r)
	for range amount(500) {
		expr := s.sentence(2)
		p, err := CompileOptions(expr, Ethernet, Options{})
		var e *Error
		if errors.As(err, &e) && e.Kind != KindNeverMatches {
			continue
		}
		plain := unoptimized(t, expr)
		for _, pkt := range pkts {
			got := 0
			if p != nil {
				got = p.Match(pkt, len(pkt))
			}
			if want := plain.Match(pkt, len(pkt)); got != want {
				t.Fatalf("%q on %x: got %d, want %d", expr, pkt, got, want)
			}
		}
	}
}

// sets returns expressions with n scattered operands each.
func sets(n int) map[string]string {
	r := rand.New(rand.NewPCG(9, 10))
	list := func(head string, operand func() string) string {
		words := make([]string, n)
		for i := range words {
			words[i] = operand()
		}
		return head + " " + strings.Join(words, " or ")
	}
	number := func(n int) string { return strconv.Itoa(r.IntN(n)) }
	return map[string]string{
		"port":     list("port", func() string { return number(65536) }),
		"dst port": list("tcp dst port", func() string { return number(65536) }),
		"host": list("host", func() string {
			return "10." + number(256) + "." + number(256) + "." + number(256)
		}),
		"src host": list("src host", func() string {
			return "10." + number(256) + "." + number(256) + "." + number(256)
		}),
		"net": list("net", func() string {
			return number(224) + "." + number(256) + "." + number(256) + ".0/24"
		}),
		"portrange": list("udp dst portrange", func() string {
			lo := r.IntN(65000)
			return strconv.Itoa(lo) + "-" + strconv.Itoa(lo+r.IntN(20))
		}),
		"not host": "not (" + list("src host", func() string {
			return "10." + number(256) + "." + number(256) + "." + number(256)
		}) + ")",
		"host6": list("dst host", func() string {
			return "fd00::" + number(10000) + ":" + number(10000)
		}),
	}
}

// TestLargeSets compiles programs in which jumps reach farther than 8 bits
// tell, and compares them with unoptimized ones.
func TestLargeSets(t *testing.T) {
	for name, expr := range sets(300) {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%s: %.200v", name, err)
			continue
		}
		plain := unoptimized(t, expr)
		tree, err := Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for _, pkt := range operandPackets(tree) {
			got, want := p.Match(pkt, len(pkt)), plain.Match(pkt, len(pkt))
			if got != want {
				t.Fatalf("%s on %x: got %d, want %d", name, pkt, got, want)
			}
			hits += min(got, 1)
		}
		if hits < 100 {
			t.Errorf("%s: only %d packets match", name, hits)
		}
		t.Logf("%s: %d instructions", name, len(p.Insns))
	}
}

// operandPackets returns packets that an expression with one list of operands
// was written for, and their neighbours.
func operandPackets(e Expr) (pkts [][]byte) {
	for {
		switch x := e.(type) {
		case *negation:
			e = x.x
			continue
		case *group:
			e = x.x
			continue
		case *chain:
			for _, term := range x.terms {
				pkts = append(pkts, operandPackets(term)...)
			}
		case *qualified:
			e = x.x
			continue
		case *operand:
			switch x.kind {
			case tokenNumber:
				n := uint16(x.num)
				pkts = append(pkts, tcp4(a4, b4, n, n+1), tcp4(a4, b4, n-1, n), tcp6(a6, b6, 1, n))
			case tokenName:
				lo, _ := strconv.Atoi(strings.Split(x.text, "-")[0])
				n := uint16(lo)
				pkts = append(pkts, udp4(a4, b4, 1, n), udp4(a4, b4, n, n-1), udp4(a4, b4, 1, n+20))
			case tokenIPv4:
				pkts = append(pkts, tcp4(x.text, b4, 1, 2), udp4(a4, x.text, 1, 2), arp(etherARP, a4, x.text))
			case tokenIPv6:
				pkts = append(pkts, tcp6(a6, x.text, 1, 2))
			}
		}
		return pkts
	}
}

// TestThousandPorts compiles the largest sets that fit.
func TestThousandPorts(t *testing.T) {
	for _, name := range []string{"port", "dst port", "host", "src host", "portrange"} {
		p, err := CompileOptions(sets(1000)[name], Ethernet, Options{})
		if err != nil {
			t.Errorf("%s: %.200v", name, err)
			continue
		}
		t.Logf("%s: %d instructions", name, len(p.Insns))
	}
}

// TestSimplified gives the number of instructions of programs in which tests
// can be left out.
func TestSimplified(t *testing.T) {
	tests := []struct {
		expr string
		want int
	}{
		{"", 1},
		{"ip", 4},
		{"ip or ip", 4},
		{"not not ip", 4},
		{"ip and ip and ip host 10.0.0.1", 8},
		{"tcp port 80 and tcp", 20},
		{"ip and tcp port 80", 13},
		{"(ip or ip6) and ip", 4},
		{"dst port 80 or 81 or 82 and tcp", 17},
		{"less 100 and less 200", 4},
		{"greater 0", 1},
		{"ether proto 0x800 and not arp", 4},
		{"net 10.0.0.0/8 and host 11.0.0.1 and src net 10", 16},
	}
	for _, tt := range tests {
		p, err := CompileOptions(tt.expr, Ethernet, Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
		} else if len(p.Insns) != tt.want {
			t.Errorf("%q: got %d instructions, want %d\n%s", tt.expr, len(p.Insns), tt.want, p.Dump())
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	exprs := map[string]string{
		"tcp port 80": "tcp port 80",
		"four terms":  "host 10.0.0.1 and tcp port 80 or udp port 53 and not net 192.168.0.0/16",
	}
	for name, expr := range sets(250) {
		exprs["250 "+name] = expr
	}
	for name, expr := range exprs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := CompileOptions(expr, Ethernet, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(p.Insns)), "insns")
			}
		})
	}
}
